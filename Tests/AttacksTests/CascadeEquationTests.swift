import Attacks
import CPUBackend
import LinearAlgebra
import Networks
import TensorIR
import Testing

/// The linear equations of one layer, against its graph and against all of them written down.
@Suite("Cascade equations")
struct CascadeEquationTests {
  /// One convolution over a drawn map, with a drawn loss gradient behind it.
  struct Layer: Sendable, CustomStringConvertible {
    var description: String
    var layer: Networks.Convolution
    /// `[spatial…, channels]`.
    var input: [Int]
  }

  static let layers: [Layer] = [
    Layer(
      description: "strided", layer: .square(4, 3, stride: 2, isFirst: false), input: [7, 8, 3]),
    Layer(
      description: "dilated",
      layer: Convolution(filters: 3, kernel: [3, 2], dilation: [2, 3], padding: .valid),
      input: [7, 6, 2]),
    Layer(
      description: "padded on one side",
      layer: Convolution(
        filters: 3, kernel: [4, 3], stride: [2, 1], padding: .sides(low: [0, 2], high: [3, 0])),
      input: [6, 5, 2]),
    Layer(
      description: "padded like the input",
      layer: Convolution(filters: 3, kernel: [4, 3], stride: [3, 2], padding: .same),
      input: [8, 7, 2]),
    Layer(
      description: "grouped", layer: .square(6, 3, padding: 1, groups: 2, isFirst: false),
      input: [5, 4, 4]),
    Layer(
      description: "depthwise", layer: .square(2, 3, padding: 1, isFirst: false, .depthwise),
      input: [5, 4, 3]),
    Layer(
      description: "one axis",
      layer: Convolution(filters: 5, kernel: [4], stride: [2], padding: .explicit([1])),
      input: [11, 3]),
    Layer(
      description: "three axes",
      layer: Convolution(
        filters: 3, kernel: [2, 3, 2], stride: [1, 2, 1], padding: .explicit([1, 1, 0])),
      input: [3, 5, 4, 2]),
  ]

  /// Both sides are the same sums in another order, of some hundred products of numbers near one.
  @Test("a layer's equations are those of its graph", arguments: layers)
  func site(subject: Layer) throws {
    let network = Network("one", input: subject.input.map { $0 }, ["layer": subject.layer])
    let parts = try network.graph(samples: 1)
    var graph = parts.graph
    let output = try #require(parts.featureMaps[0]?.value)
    let parameters = parts.parameters
    let weight = try #require(parameters.first { $0.key.role == .weight })
    let head = graph.input("head", output.type)
    graph.output("output", output)
    graph.output("weight", graph.pullback(of: [(output, head)], to: [weight.value])[0])
    let program = try CPUBackend(threads: 1).compile(graph, in: .double)
    var generator = SplitMix64(seed: 11)
    func draw(_ type: TensorType) -> [Double] {
      (0..<type.elementCount).map { _ in generator.normal() }
    }
    let (x, slope) = (draw(parts.inputs[0].type), draw(output.type))
    let kernel = draw(weight.value.type)
    for parameter in parameters {
      program.bind(
        Array(repeating: 0, count: parameter.value.type.elementCount), to: parameter.name)
    }
    for (name, elements) in ["input": x, "head": slope, weight.name: kernel] {
      program.bind(elements, to: name)
    }
    try program.run()
    let site = try #require(
      KernelSite(
        0, of: network, input: subject.input, output: Array(output.type.shape.dropFirst())))
    #expect(relativeError(site.response(x, kernel), program.elements(of: "output")) < 1e-13)
    let pulled = site.transposedResponse(slope, kernel)
    let (left, right) = (
      zip(site.response(x, kernel), slope).reduce(0) { $0 + $1.0 * $1.1 },
      zip(x, pulled).reduce(0) { $0 + $1.0 * $1.1 }
    )
    #expect(abs(left - right) < 1e-12 * zip(x, pulled).reduce(0) { $0 + abs($1.0 * $1.1) })
    let observed = program.elements(of: "weight")
    let channels = subject.input[subject.input.count - 1]
    for group in 0..<site.groups {
      let right = site.rightSide(observed, group: group)
      let maps = DenseMatrix(
        rows: x.count / channels, columns: right.columns,
        elements: (0..<right.columns).flatMap { own in
          (0..<x.count / channels).map { x[$0 * channels + group * right.columns + own] }
        })
      let product = site.block(slope, group: group) * maps
      #expect(relativeError(product.elements, right.elements) < 1e-13)
    }
  }

  @Test("the site of a layer that is no convolution is missing")
  func noSite() {
    let network = Network("one", input: [4, 4, 2], ["layer": Pooling(.average, window: [2, 2])])
    #expect(KernelSite(0, of: network, input: [4, 4, 2], output: [2, 2, 2]) == nil)
  }
}

/// The solution of a layer's equations.
@Suite("Map solve")
struct MapSolveTests {
  /// A 3×3 convolution of two channels on 5×5 with its equations, all of them written down too.
  struct Problem {
    let site: KernelSite
    let outputs: Int
    let weight: [Double]
    let truth: [Double]
    let slopes: [Double]

    init(outputs: Int, kernel: Int = 3, silent: Set<Int> = [], seed: UInt64) throws {
      let layer = Networks.Convolution.square(
        outputs, kernel, padding: kernel / 2, isFirst: false)
      let network = Network("one", input: [5, 5, 2], ["layer": layer])
      site = try #require(
        KernelSite(0, of: network, input: [5, 5, 2], output: [5, 5, outputs]))
      self.outputs = outputs
      var generator = SplitMix64(seed: seed)
      truth = (0..<50).map { _ in generator.normal() }
      weight = (0..<kernel * kernel * 2 * outputs).map { _ in generator.normal() }
      slopes = (0..<25 * outputs).map { index in
        silent.contains(index / outputs) ? 0 : generator.normal()
      }
    }

    private var maps: DenseMatrix {
      DenseMatrix(rows: 25, columns: 2, elements: (0..<50).map { truth[$0 % 25 * 2 + $0 / 25] })
    }

    /// `[taps, inputs, outputs]` from the order of the right-hand side.
    func weightGradient(noise: Double, seed: UInt64) -> [Double] {
      let product = site.block(slopes, group: 0) * maps
      var generator = SplitMix64(seed: seed)
      return weight.indices.map { index in
        let (tap, channel, output) = (
          index / (2 * outputs), index / outputs % 2, index % outputs
        )
        return product[tap * outputs + output, channel] + noise * generator.normal()
      }
    }

    func output(noise: Double, seed: UInt64, isKnown: (Int) -> Bool) -> KnownMap {
      var generator = SplitMix64(seed: seed)
      let values = site.response(truth, weight)
      return KnownMap(
        values.map { $0 + noise * generator.normal() },
        errors: values.indices.map { isKnown($0) ? noise : .infinity })
    }

    /// Every equation as a row over all 50 entries, divided by its error.
    func stacked(_ solve: MapSolve) -> (matrix: DenseMatrix, right: [Double]) {
      var (rows, right) = ([[Double]](), [Double]())
      for equations in solve.gradients {
        let (block, sides) = (
          site.block(slopes, group: 0), site.rightSide(equations.weightGradient, group: 0)
        )
        for channel in 0..<2 {
          for row in 0..<block.rows {
            var entries = Array(repeating: 0.0, count: 50)
            for place in 0..<25 { entries[place * 2 + channel] = block[row, place] }
            rows.append(entries.map { $0 / equations.error })
            right.append(sides[row, channel] / equations.error)
          }
        }
      }
      for equations in solve.forwards {
        let columns = (0..<50).map { entry in
          site.response((0..<50).map { $0 == entry ? 1 : 0 }, equations.weight)
        }
        for index in equations.output.values.indices {
          let error = equations.output.errors[index]
          guard error.isFinite else { continue }
          rows.append(columns.map { $0[index] / error })
          right.append(equations.output.values[index] / error)
        }
      }
      if let direct = solve.direct {
        for index in 0..<50 where direct.errors[index].isFinite {
          rows.append((0..<50).map { $0 == index ? 1 / direct.errors[index] : 0 })
          right.append(direct.values[index] / direct.errors[index])
        }
      }
      return (StackedEquations.matrix(rows), right)
    }
  }

  /// What a solve is given.
  struct Given: Sendable, CustomStringConvertible {
    var description: String
    var outputs: Int
    var kernel = 3
    var silent: Set<Int> = []
    var gradientNoise: Double?
    var outputNoise: Double?
    var isKnown: @Sendable (Int) -> Bool = { _ in true }
    var direct: Set<Int> = []

    func problem(seed: UInt64) throws -> (Problem, MapSolve) {
      let problem = try Problem(outputs: outputs, kernel: kernel, silent: silent, seed: seed)
      var solve = MapSolve(places: 25, channels: 2)
      if let gradientNoise {
        solve.gradients.append(
          .init(
            site: problem.site, outputGradient: problem.slopes,
            weightGradient: problem.weightGradient(noise: gradientNoise, seed: seed + 1),
            error: gradientNoise))
      }
      if let outputNoise {
        solve.forwards.append(
          .init(
            site: problem.site, weight: problem.weight,
            output: problem.output(noise: outputNoise, seed: seed + 2, isKnown: isKnown)))
      }
      if !direct.isEmpty {
        var generator = SplitMix64(seed: seed + 3)
        solve.direct = KnownMap(
          problem.truth.map { $0 + 1e-5 * generator.normal() },
          errors: problem.truth.indices.map { direct.contains($0) ? 1e-5 : .infinity })
      }
      return (problem, solve)
    }
  }

  static let solvable: [Given] = [
    Given(description: "gradient alone", outputs: 8, gradientNoise: 1e-5),
    Given(description: "outputs alone", outputs: 4, outputNoise: 1e-5),
    Given(
      description: "outputs of which half are known, and entries", outputs: 4,
      outputNoise: 1e-5, isKnown: { $0.isMultiple(of: 2) }, direct: [0, 7, 8, 20, 31, 49]),
    Given(
      description: "gradient of few channels, and outputs", outputs: 2, gradientNoise: 1e-5,
      outputNoise: 1e-5),
    Given(
      description: "gradient that leaves places open, and outputs", outputs: 40, kernel: 1,
      silent: [3, 4, 12], gradientNoise: 1e-6, outputNoise: 1e-5),
  ]

  private static func size(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// Where one kind of equations does it alone, the two solutions are the same up to rounding.
  ///
  /// Where both take part, well-seen directions are taken from the gradient alone, which may cost some of
  /// what the outputs would add, but no more than a half.
  @Test("solutions are as good as those of all equations at once", arguments: solvable)
  func solution(given: Given) throws {
    var (own, best) = (0.0, 0.0)
    for seed in UInt64(0)..<6 {
      let (problem, solve) = try given.problem(seed: seed)
      let solution = try solve.solve()
      let stacked = problem.stacked(solve)
      let reference = try QRDecomposition(stacked.matrix).solve(stacked.right)
      #expect(solution.isDetermined && solution.rank == 50)
      let isAlone = solve.gradients.isEmpty != solve.forwards.isEmpty
      if isAlone { #expect(relativeError(solution.map.values, reference) < 1e-10) }
      own += Self.size(zip(solution.map.values, problem.truth).map { $0 - $1 })
      best += Self.size(zip(reference, problem.truth).map { $0 - $1 })
    }
    #expect(own <= 1.5 * best)
  }

  /// Without a dense system nothing is taken from the gradient alone, so only rounding and what the
  /// iterations leave, 1e-7 of the residual, separate the two.
  @Test("iterations find the solution of all equations at once", arguments: solvable)
  func iteration(given: Given) throws {
    for seed in UInt64(0)..<6 {
      var (problem, solve) = try given.problem(seed: seed)
      solve.openLimit = 0
      let solution = try solve.solve()
      let stacked = problem.stacked(solve)
      let reference = try QRDecomposition(stacked.matrix).solve(stacked.right)
      #expect(solution.isDetermined && solution.rank == 50)
      #expect(relativeError(solution.map.values, reference) < 1e-7)
    }
  }

  /// The error of iterations is drawn once for 50 entries, so its spread is a tenth; it is averaged.
  @Test("iterations predict their error within a factor of two", arguments: solvable)
  func iterationError(given: Given) throws {
    var (predicted, measured) = (0.0, 0.0)
    for seed in UInt64(0)..<12 {
      var (problem, solve) = try given.problem(seed: 20 * seed)
      solve.openLimit = 0
      let map = try solve.solve().map
      measured += zip(map.values, problem.truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      predicted += map.errors.reduce(0) { $0 + $1 * $1 }
    }
    let ratio = (predicted / measured).squareRoot()
    #expect((0.5...2).contains(ratio), "ratio \(ratio)")
  }

  /// Twelve draws of 50 entries tell their spread to a few percent; the estimate itself uses eight.
  @Test("the predicted error is the measured one within a factor of two", arguments: solvable)
  func error(given: Given) throws {
    var (predicted, measured) = (0.0, 0.0)
    for seed in UInt64(0)..<12 {
      let (problem, solve) = try given.problem(seed: 20 * seed)
      let map = try solve.solve().map
      measured += zip(map.values, problem.truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      predicted += map.errors.reduce(0) { $0 + $1 * $1 }
    }
    let ratio = (predicted / measured).squareRoot()
    #expect((0.5...2).contains(ratio), "ratio \(ratio)")
  }

  static let deficient: [Given] = [
    Given(
      description: "silent places", outputs: 40, kernel: 1, silent: [3, 4, 12],
      gradientNoise: 1e-5),
    Given(
      description: "silent places, of which the outputs of one are known", outputs: 40, kernel: 1,
      silent: [3, 4, 12], gradientNoise: 1e-5, outputNoise: 1e-5,
      isKnown: { $0 / 40 == 4 }),
    Given(
      description: "silent places, and known outputs elsewhere", outputs: 40, kernel: 1,
      silent: [3, 4, 12], gradientNoise: 1e-5, outputNoise: 1e-5, isKnown: { $0 / 40 == 5 }),
    Given(description: "one output channel", outputs: 1, outputNoise: 1e-5),
    Given(
      description: "too few entries", outputs: 1, outputNoise: 1e-5, direct: [0, 2, 4, 6, 8, 10]),
  ]

  @Test("the rank is that of all equations at once", arguments: deficient)
  func rank(given: Given) throws {
    let (problem, solve) = try given.problem(seed: 4)
    let solution = try solve.solve()
    let singular = try SingularValueDecomposition(problem.stacked(solve).matrix)
    #expect(!solution.isDetermined)
    #expect(solution.rank == singular.rank(relativeTolerance: 1e-9))
  }

  /// As many equations as entries, but those of one entry say what others say already.
  @Test("iterations do not take open directions for determined", arguments: [1, 3, 12])
  func openDirections(silent: Int) throws {
    let given = Given(
      description: "", outputs: 40, kernel: 1, silent: Set(0..<silent), gradientNoise: 1e-6,
      outputNoise: 1e-5, isKnown: { $0 / 40 >= silent })
    var (_, solve) = try given.problem(seed: 7)
    solve.openLimit = 0
    let solution = try solve.solve()
    #expect(!solution.isDetermined && solution.rank != 50)
  }

  @Test("what is not finite is an error", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) throws {
    var (_, solve) = try Self.solvable[0].problem(seed: 1)
    solve.gradients[0].weightGradient[5] = value
    #expect(throws: CascadeStop.self) { try solve.solve() }
    (_, solve) = try Self.solvable[1].problem(seed: 1)
    solve.forwards[0].output.values[5] = value
    #expect(throws: CascadeStop.self) { try solve.solve() }
  }
}
