internal import LinearAlgebra
internal import Networks

/// A model input moved across kinks of piecewise-linear activations next to which it lies.
///
/// A network that was run in single precision may have taken an entry that is zero but for rounding to
/// the other side of a kink than exact arithmetic does. The gradient then differs by all that
/// the entry carries, although the input is right to the last digit of single precision; and since
/// a gradient jumps at a kink, no descent crosses it. Each of the entries nearest to zero is moved
/// across alone, along its own gradient and no farther than it lies from zero, and stays there if that
/// brings the simulated gradient closer.
package struct KinkCrossing {
  package private(set) var point: [Double]
  /// What is left of the error at ``point``.
  package private(set) var error: Double
  /// How many entries were moved.
  package private(set) var count = 0

  /// An entry in front of an activation, with its distance from zero relative to the map's size.
  private struct Entry {
    var node: Int
    var index: Int
    var value: Double
    var size: Double
    var distance: Double { abs(value) / size }
  }

  /// Entries farther from zero were not rounded across it.
  private static let reach = 1e-5
  /// So many entries are tried, the nearest to zero first.
  private static let limit = 16

  /// - Parameters:
  ///   - walk: Its network.
  ///   - start: A model input near the solution.
  ///   - error: What is to become less at `start`.
  ///   - measure: What it is elsewhere.
  /// - Throws: ``CascadeStop`` if a program fails.
  package init(
    _ walk: CascadeWalk, from start: [Double], error: Double,
    by measure: ([Double]) throws(CascadeStop) -> Double
  ) throws(CascadeStop) {
    point = start
    self.error = error
    for entry in try Self.nearest(walk, start) {
      let segment = try walk.programs.segment(from: [.input(0)], to: entry.node)
      segment.linearize(at: [point])
      var only = Array(repeating: 0.0, count: walk.programs.count(of: .node(entry.node)))
      only[entry.index] = 1
      guard let slope = try segment.pull(only).first else { continue }
      let square = slope.dot(slope)
      guard square > 0 else { continue }
      let beyond =
        entry.value + (entry.value < 0 ? -1 : 1) * max(abs(entry.value), 1e-9 * entry.size)
      var moved = point
      moved.add(-beyond / square, times: slope)
      let found = try measure(moved)
      guard found < 0.9 * self.error else { continue }
      (point, self.error) = (moved, found)
      count += 1
    }
  }

  /// The entries nearest to a kink, the nearest first.
  private static func nearest(
    _ walk: CascadeWalk, _ x: [Double]
  ) throws(CascadeStop) -> [Entry] {
    var values: [Network.Source: [Double]] = [.input(0): x]
    var entries: [Entry] = []
    for node in walk.nodes.sorted() where node < walk.start {
      let sources = walk.network.nodes[node].distinctSources
      let inputs = sources.compactMap { values[$0] }
      if case .elementwise(let function) = walk.linearity(node), function.levels != nil,
        case .node(let before)? = sources.first, let map = inputs.first
      {
        let size = map.rootMeanSquareOrZero
        for (index, value) in map.enumerated() where abs(value) < reach * size {
          entries.append(Entry(node: before, index: index, value: value, size: size))
        }
      }
      values[.node(node)] = try walk.layer(node).value(inputs)
      for source in sources where (walk.readers(of: source).max() ?? 0) <= node {
        values[source] = nil
      }
    }
    return Array(entries.sorted { $0.distance < $1.distance }.prefix(limit))
  }
}
