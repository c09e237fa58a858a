import Attacks
import CPUBackend
import LinearAlgebra
import Networks
import TensorIR
import Tensors
import Testing

/// Residuals of gradients and features, and products with their Jacobian.
@Suite("Residuals of a network")
struct NetworkResidualsTests {
  static func stack(_ function: ActivationFunction) -> Network {
    Network(
      "stack", input: [6, 6, 2],
      [
        "a": Networks.Convolution.square(6, 3, padding: 1, isFirst: false),
        "b": Activation(function),
        "c": Networks.Convolution.square(8, 3, stride: 2, padding: 1, isFirst: false),
        "d": Activation(function), "e": Flatten(), "f": Dense(outputs: 5),
      ])
  }

  /// Two rectified convolutions without stride, the first with so many filters.
  static func plain(filters: Int) -> Network {
    Network(
      "plain", input: [8, 8, 3],
      [
        "a": Networks.Convolution.square(filters, 3, padding: 1, isFirst: false),
        "b": Activation(.relu),
        "c": Networks.Convolution.square(24, 3, padding: 1, isFirst: false),
        "d": Activation(.relu), "e": Flatten(), "f": Dense(outputs: 5),
      ])
  }

  /// The start of a walk: the dense layer's input and output gradient are found, and every observed
  /// gradient is multiplied with a factor.
  static func walk(
    _ sample: GradientSample, start: Int = 5, factor: Double = 1
  ) throws -> CascadeWalk {
    let recovery = try #require(sample.observation(.float64).attacked().recoveries[start])
    let arriving = try #require(recovery.outputGradient)
    return try CascadeWalk(
      sample.observation(of: sample.gradient.mapped(.float64) { $1 * factor }), start: start,
      input: KnownMap(recovery.samples[0], error: 1e-8),
      outputGradient: arriving.map { $0 * factor }, on: CPUBackend(threads: 1),
      progress: { _ in })
  }

  struct Subject: Sendable {
    var function: ActivationFunction
    var factor: Double
  }
  /// A probability of the label of 1 - 1e-30 makes gradients that `Float` holds as they are, and one of
  /// 1 - 1e-60 does not.
  static let subjects = [ActivationFunction.sigmoid, .relu].flatMap { function in
    [1, 1e-30, 1e-60].map { Subject(function: function, factor: $0) }
  }

  /// Single precision rounds every operation by 6e-8, and sums of a hundred terms average that out.
  @Test("products in single precision are those in double precision", arguments: subjects)
  func precisions(subject: Subject) throws {
    let sample = try GradientSample(Self.stack(subject.function), convention: .channelsLast)
    let residuals = try GradientResiduals(Self.walk(sample, factor: subject.factor))
    var generator = SplitMix64(seed: 3)
    let direction = sample.inputs[0].map { _ in 1e-3 * generator.normal() }
    try residuals.linearize(at: sample.inputs[0].map { $0 + 0.1 * generator.normal() })
    let (coarse, fine) = (
      try residuals.push(direction, in: .single), try residuals.push(direction, in: .double)
    )
    #expect(coarse.count == residuals.count && relativeError(coarse, fine) < 1e-5)
    let cotangent = fine.map { _ in generator.normal() }
    let (back, exact) = (
      try residuals.pull(cotangent, in: .single), try residuals.pull(cotangent, in: .double)
    )
    #expect(relativeError(back, exact) < 1e-5)
    let sides = (product(cotangent, fine), product(exact, direction))
    #expect(abs(sides.0 - sides.1) < 1e-12 * product(cotangent.map(abs), fine.map(abs)))
  }

  /// Single precision rounds every operation by 6e-8; the map alone, and with the gradients that follow
  /// from it.
  @Test(
    "the sum of squares in single precision is that of the residuals, and so is its gradient",
    arguments: [false, true])
  func misfit(usesGradients: Bool) throws {
    let sample = try GradientSample(Self.stack(.relu), convention: .channelsLast)
    let walk = try Self.walk(sample)
    walk.run()
    let map = try #require(walk.maps[.node(3)])
    #expect(map.values.contains { $0 == 0 }, "where a unit was inactive, residuals have one side")
    let residuals = try FrontierResiduals([.node(3)], walk: walk, usesGradients: usesGradients)
    #expect((residuals.count > map.values.count) == usesGradients)
    // The truth explains all of it, as exactly as the map and its loss gradient are known.
    let truth = try residuals.residuals(at: sample.inputs[0])
    #expect(product(truth, truth) < 1e-8 * Double(truth.count))
    var generator = SplitMix64(seed: 5)
    let x = sample.inputs[0].map { $0 + 0.3 * generator.normal() }
    let rows = try residuals.residuals(at: x)
    try residuals.linearize(at: x)
    let slope = try residuals.pull(rows, in: .double).map { 2 * $0 }
    let found = try residuals.misfit(at: x)
    #expect(abs(found.objective - product(rows, rows)) < 1e-5 * product(rows, rows))
    #expect(relativeError(found.gradient, slope) < 1e-4)
  }

  /// What enters the sum behind a block passes the block's inside on its other branch.
  @Test("a sum of branches counts beside a map inside one of them")
  func companions() throws {
    let sample = try GradientSample(CascadeNetwork.residual)
    let walk = try Self.walk(sample, start: 10)
    var generator = SplitMix64(seed: 6)
    let picture = sample.inputs[0].map { _ in generator.uniform(0, 1) }
    for node in [4, 8] {
      let map = try walk.programs.segment(from: [.input(0)], to: node).value([picture])
      walk.maps[.node(node)] = KnownMap(map, error: 1e-9)
    }
    #expect(walk.companions(of: .node(4)) == [.node(8)])
    #expect(walk.companions(of: .node(8)) == [.node(4)])
    let one = try FrontierResiduals([.node(4)], walk: walk, usesGradients: false)
    let both = try FrontierResiduals([.node(4), .node(8)], walk: walk, usesGradients: false)
    #expect(both.count == 2 * one.count && both.equalities > one.equalities)
    let x = picture.map { $0 + 0.2 * generator.normal() }
    let rows = try both.residuals(at: x)
    let first = Array(rows[..<one.count])
    #expect(try first == one.residuals(at: x))
    #expect(product(rows, rows) > 1.1 * product(first, first))
    try both.linearize(at: x)
    let slope = try both.pull(rows, in: .double).map { 2 * $0 }
    #expect(try relativeError(both.misfit(at: x).gradient, slope) < 1e-4)
    walk.maps[.node(8)] = nil
    #expect(walk.companions(of: .node(4)) == [.node(9)], "what enters the dense layer is known")
  }

  /// An inactive unit's entry is zero and known to 1e-6; what entered it is far below.
  @Test(
    "an entry that may be noise above zero may come from far below",
    arguments: [(2.7e-6, true), (-1e-6, true), (1e-4, false)])
  func noiseAboveZero(value: Double, isInactive: Bool) throws {
    let sample = try GradientSample(Self.stack(.relu), convention: .channelsLast)
    let walk = try Self.walk(sample)
    walk.run()
    var values = try #require(walk.maps[.node(3)]).values
    let entering = try walk.programs.segment(from: [.input(0)], to: 2).value([sample.inputs[0]])
    let lowest = try #require(entering.indices.min { entering[$0] < entering[$1] })
    #expect(entering[lowest] < -0.1)
    values[lowest] = value
    walk.maps[.node(3)] = KnownMap(values, error: 1e-6)
    let residuals = try FrontierResiduals([.node(3)], walk: walk, usesGradients: false)
    let missed = try residuals.residuals(at: sample.inputs[0])[lowest]
    #expect((abs(missed) < 1e-4) == isInactive)
  }

  /// Ten entries of the map are wrong by about its size; least squares spread that over the picture.
  ///
  /// The sum of absolute values is lowest where all others are met.
  @Test("least absolute residuals leave aside entries that are wrong")
  func leastAbsolute() throws {
    let sample = try GradientSample(Self.plain(filters: 24), convention: .channelsLast)
    let walk = try Self.walk(sample)
    walk.run()
    var values = try #require(walk.maps[.node(1)]).values
    let active = values.indices.filter { values[$0] > 0.01 }
    #expect(active.count > 2 * sample.inputs[0].count)
    for index in stride(from: 0, to: active.count, by: active.count / 10) {
      values[active[index]] += 0.3
    }
    walk.maps[.node(1)] = KnownMap(values, error: 1e-7)
    let features = try FrontierResiduals([.node(1)], walk: walk, usesGradients: false)
    let squares = try LevenbergMarquardt().solve(features, from: sample.inputs[0])
    let spread = relativeError(squares.point, sample.inputs[0])
    #expect(spread > 0.01)

    var step = LevenbergMarquardt()
    step.stepLimit = 1
    let settled = try LeastAbsoluteResiduals(features: features, step: step)
      .solve(from: squares.point)
    #expect(relativeError(settled.point, sample.inputs[0]) < 0.05 * spread)
    let (before, after) = try (
      features.residuals(at: squares.point), features.residuals(at: settled.point)
    )
    #expect(after.reduce(0) { $0 + abs($1) } < before.reduce(0) { $0 + abs($1) })
    #expect(product(after, after) > product(before, before), "the weights are those of before")
  }

  /// A picture off by 1e-3 misses the map and the gradient by many of their errors.
  @Test("a gradient that misses by more than its errors counts by what it misses")
  func balance() throws {
    let sample = try GradientSample(Self.stack(.relu), convention: .channelsLast)
    let walk = try Self.walk(sample)
    walk.run()
    let map = try #require(walk.maps[.node(3)])
    let features = try FrontierResiduals([.node(3)], walk: walk, usesGradients: true)
    let entries = map.values.count
    features.weighByErrors()
    var generator = SplitMix64(seed: 9)
    let x = sample.inputs[0].map { $0 + 1e-3 * generator.normal() }
    let before = try features.residuals(at: x)
    #expect(before.dropFirst(entries).reduce(0) { max($0, abs($1)) } > 100)
    try features.balance(at: x)
    let after = try features.residuals(at: x)
    for block in [Array(after.prefix(entries)), Array(after.dropFirst(entries))] {
      #expect(abs(product(block, block) / Double(block.count) - 1) < 1e-9)
    }
    try features.balance(at: x)
    #expect(
      relativeError(try features.residuals(at: x), after) < 1e-9, "what is met keeps its weight")
  }

  /// Central differences of a smooth function leave the square of the step, and rounding over it.
  @Test("products are derivatives, written out or not")
  func derivative() throws {
    let sample = try GradientSample(Self.stack(.sigmoid), convention: .channelsLast)
    let residuals = try GradientResiduals(Self.walk(sample))
    var generator = SplitMix64(seed: 4)
    let x = sample.inputs[0].map { $0 + 0.1 * generator.normal() }
    let direction = x.map { _ in generator.normal() }
    try residuals.linearize(at: x)
    let moved = try residuals.push(direction, in: .double)
    let sides = try [1e-5, -1e-5].map { step in
      try residuals.residuals(at: zip(x, direction).map { $0 + step * $1 })
    }
    #expect(relativeError(zip(sides[0], sides[1]).map { ($0 - $1) / 2e-5 }, moved) < 1e-6)
    let matrix = try #require(try residuals.jacobian())
    #expect(relativeError(matrix(direction), moved) < 1e-5)
  }

  /// The first layer has too few filters for its input, so that the walk ends there: the frontier is its
  /// output, with the equations of the layer that reads it and, below, its own.
  @Test("a weight's gradient is the one below its own head, though another head lies above")
  func nestedHeads() throws {
    let sample = try GradientSample(Self.plain(filters: 3), convention: .channelsLast)
    let walk = try Self.walk(sample)
    walk.run()
    let map = try #require(walk.maps[.node(1)])
    #expect(walk.maps[.input(0)] == nil)
    let frontier = try FrontierResiduals([.node(1)], walk: walk, usesGradients: true)
    #expect(frontier.count == 3 * 64 + 9 * 3 * 24 + 9 * 3 * 3)
    // The map was solved from the equations of its reader, which therefore say nothing new.
    #expect(frontier.equalities == map.values.count { $0 > 0 } + 9 * 3 * 3)
    // Each block is in units of its own size, and the truth solves all of them.
    let residuals = try frontier.residuals(at: sample.inputs[0])
    #expect(residuals.allSatisfy { abs($0) < 1e-5 })

    var generator = SplitMix64(seed: 6)
    try frontier.linearize(at: sample.inputs[0].map { $0 + 0.1 * generator.normal() })
    let direction = sample.inputs[0].map { _ in generator.normal() }
    let moved = try frontier.push(direction, in: .double)
    let cotangent = moved.map { _ in generator.normal() }
    let sides = (
      product(cotangent, moved), product(try frontier.pull(cotangent, in: .double), direction)
    )
    #expect(abs(sides.0 - sides.1) < 1e-12 * product(cotangent.map(abs), moved.map(abs)))
  }

  @Test("a common factor of all gradients changes no residual", arguments: [1e-30, 1e-60, 1e20])
  func factor(factor: Double) throws {
    let sample = try GradientSample(Self.stack(.relu), convention: .channelsLast)
    let x = sample.inputs[0].map { $0 + 0.01 }
    let plain = try GradientResiduals(Self.walk(sample)).residuals(at: x)
    let scaled = try GradientResiduals(Self.walk(sample, factor: factor)).residuals(at: x)
    #expect(plain.contains { abs($0) > 1 } && relativeError(scaled, plain) < 1e-9)
  }

  /// Its bias puts a unit of the first layer within rounding of zero.
  ///
  /// The input is moved until the unit is as far on the other side, so that the gradient misses by the
  /// unit's share.
  @Test("a unit on the wrong side of zero is put across")
  func crossing() throws {
    let network = Self.stack(.relu)
    let first = try GradientSample(network, convention: .channelsLast)
    let bias = try #require(first.weights[0, .bias]?.elements())
    let entry = 6 * 14
    let entering = try Self.entering(first)
    let shift = entering.value[entry]
    let sample = try GradientSample(network, convention: .channelsLast) { key, weight in
      let isIts = key == ParameterTable.Key(node: 0, role: .bias) && abs(weight - bias[0]) < 1e-6
      return isIts ? weight - shift : weight
    }
    let found = try Self.entering(sample)
    let value = found.value[entry]
    #expect(value != 0 && abs(value) < 1e-6)
    let slope = try found.segment.pull(found.value.indices.map { $0 == entry ? 1 : 0 })[0]
    let away = 2 * value / product(slope, slope)
    let start = zip(sample.inputs[0], slope).map { $0 - away * $1 }

    let walk = try Self.walk(sample)
    let residuals = try GradientResiduals(walk)
    let before = try residuals.relativeError(at: start)
    #expect(before > 1e-3)
    #expect(try residuals.isBeyondReach(of: 1e-7, around: start))
    // A draw that crosses the kink one way does not on the way back.
    let crossing = 64 * 4 * abs(value) / product(slope, slope).squareRoot()
    #expect(try residuals.isBeyondReach(of: crossing, around: start))
    let better = try #require(
      try KinkCrossing(walk, at: start, error: 1e-7).improved(misfit: before, goal: 1e-6) {
        (x: [Double]) throws(CascadeStop) in try residuals.relativeError(at: x)
      })
    #expect(better.misfit < 1e-6 && better.crossings == 1)
    #expect(relativeError(better.point, sample.inputs[0]) < 1e-6)
    // Where nothing is near zero, nothing moves.
    let far = try KinkCrossing(walk, at: sample.inputs[0], error: 1e-13)
    #expect(try far.improved(misfit: 1e-9, goal: 0) { _ in 1 } == nil)
  }

  /// What enters the first activation.
  private static func entering(
    _ sample: GradientSample
  ) throws -> (value: [Double], segment: Segment) {
    let programs = try LayerPrograms(
      sample.network, weights: sample.weights, upTo: 5, on: CPUBackend(threads: 1))
    let segment = try programs.segment(from: [.input(0)], to: 0)
    segment.linearize(at: sample.inputs)
    return (try segment.value(sample.inputs), segment)
  }

  private func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test("other observations give the residuals asked for, and are forgotten")
  func observing() throws {
    let sample = try GradientSample(Self.stack(.sigmoid), convention: .channelsLast)
    let residuals = try GradientResiduals(Self.walk(sample))
    var generator = SplitMix64(seed: 5)
    let x = sample.inputs[0].map { $0 + 0.1 * generator.normal() }
    let before = try residuals.residuals(at: x)
    let wanted = before.map { $0 * generator.normal() }
    let during = try residuals.observing(before, as: wanted) { () throws(CascadeStop) in
      try residuals.residuals(at: x)
    }
    #expect(relativeError(during, wanted) < 1e-12)
    #expect(try residuals.residuals(at: x) == before)
  }
}
