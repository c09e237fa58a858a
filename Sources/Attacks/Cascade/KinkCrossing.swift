internal import LinearAlgebra
internal import Networks
internal import TensorIR

/// Moves an input by about its own error to the other side of a kink.
///
/// What enters a ReLU can be so near to zero that the run that made the observed gradient, with its own
/// rounding, had it on the other side. The gradient of a unit is all or nothing, so what an otherwise
/// exact input gives then misses by far more than rounding, and least squares on gradients does not see
/// why. Such units are few. The shortest move that takes one of them across is tried for each,
/// the nearest first; one that lowers the misfit is kept.
package struct KinkCrossing {
  /// An entry that may have crossed.
  private struct Candidate {
    /// Of the map among ``kinks``.
    let place: Int
    let entry: Int
    let value: Double
    /// From zero, in standard errors.
    let distance: Double
  }

  private let programs: LayerPrograms
  /// Nodes whose output enters a function with a kink at zero.
  private let kinks: [Int]
  private let point: [Double]
  private let candidates: [Candidate]

  /// Relative rounding of an entry of a map, in the precision of most frameworks.
  private static let rounding = 4e-7
  /// Entries that are tried.
  private static let limit = 40
  /// In standard errors, which are predicted rather too small.
  private static let reach = 12.0
  /// A crossing that lowers the misfit to more than this share is none: of several units on the wrong
  /// side each has its part.
  private static let gain = 0.95

  /// - Parameters:
  ///   - walk: What knows the network and its weights.
  ///   - point: The input.
  ///   - error: Standard error of an entry of the input.
  /// - Throws: ``CascadeStop`` if a program fails.
  package init(_ walk: CascadeWalk, at point: [Double], error: Double) throws(CascadeStop) {
    programs = walk.programs
    self.point = point
    var kinks: [Int] = []
    for node in walk.nodes.sorted() {
      guard case .elementwise(let function) = walk.linearity(node),
        case .node(let before)? = walk.network.nodes[node].sources.first
      else { continue }
      switch function {
      case .relu, .leakyReLU: kinks.append(before)
      default: continue
      }
    }
    self.kinks = kinks
    guard !kinks.isEmpty else {
      candidates = []
      return
    }
    let parts = try walk.programs.graph(from: [.input(0)], to: kinks, givenAs: .argument)
    var graph = parts.graph
    for (place, node) in kinks.enumerated() {
      graph.output("kink/\(place)", try Segment.result(of: parts, node))
    }
    let program = try walk.programs.compile(graph, parts.parameters, in: .double)
    var generator = SplitMix64(seed: 31)
    program.bind(point.map { $0 + error * generator.normal() }, to: "cut/0")
    try Segment.run(program)
    let moved = kinks.indices.map { program.elements(of: "kink/\($0)") }
    program.bind(point, to: "cut/0")
    try Segment.run(program)
    var found: [Candidate] = []
    for place in kinks.indices {
      let values = program.elements(of: "kink/\(place)")
      let shift = zip(values, moved[place]).map { $0 - $1 }.rootMeanSquareOrZero
      let deviation = max(shift, Self.rounding * values.rootMeanSquareOrZero)
      for (entry, value) in values.enumerated() where abs(value) < Self.reach * deviation {
        found.append(
          Candidate(place: place, entry: entry, value: value, distance: abs(value) / deviation))
      }
    }
    candidates = Array(found.sorted { $0.distance < $1.distance }.prefix(Self.limit))
  }

  /// Crosses what lowers the misfit.
  ///
  /// - Parameters:
  ///   - misfit: Of the input.
  ///   - goal: A misfit that is small enough to stop at.
  ///   - measure: The misfit of an input.
  /// - Returns: The input behind all crossings, its misfit and how many there were; `nil` if there were
  ///   none.
  /// - Throws: ``CascadeStop`` if a program fails.
  package func improved(
    misfit: Double, goal: Double, _ measure: ([Double]) throws(CascadeStop) -> Double
  ) throws(CascadeStop) -> (point: [Double], misfit: Double, crossings: Int)? {
    guard !candidates.isEmpty else { return nil }
    let pull = try pullProgram()
    var best = (point: point, misfit: misfit, crossings: 0)
    for candidate in candidates where best.misfit > goal {
      for place in kinks.indices {
        var cotangent = Array(repeating: 0.0, count: programs.count(of: .node(kinks[place])))
        if place == candidate.place { cotangent[candidate.entry] = 1 }
        pull.bind(cotangent, to: "cotangent/\(place)")
      }
      try Segment.run(pull)
      let slope = pull.elements(of: "slope")
      let length = slope.reduce(0) { $0 + $1 * $1 }
      guard length > 0 else { continue }
      // A little further than to zero.
      let factor = -1.1 * candidate.value / length
      let moved = zip(best.point, slope).map { $0 + factor * $1 }
      let found = try measure(moved)
      if found < Self.gain * best.misfit { best = (moved, found, best.crossings + 1) }
    }
    return best.crossings > 0 ? best : nil
  }

  private func pullProgram() throws(CascadeStop) -> any CompiledProgram {
    let parts = try programs.graph(from: [.input(0)], to: kinks, givenAs: .parameter)
    var graph = parts.graph
    var results: [(value: Value, cotangent: Value)] = []
    for (place, node) in kinks.enumerated() {
      let value = try Segment.result(of: parts, node)
      results.append((value, graph.input("cotangent/\(place)", value.type)))
    }
    graph.output("slope", graph.pullback(of: results, to: [parts.inputs[0]])[0])
    let program = try programs.compile(graph, parts.parameters, in: .single)
    program.bind(point, to: "cut/0")
    return program
  }
}
