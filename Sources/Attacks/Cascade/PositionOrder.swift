package import LinearAlgebra

/// Where on the map patches belong that came in no order.
///
/// Patches of neighbours overlap: what one reads under a tap, the next reads under the tap one
/// stride before. So every patch tells which others lie to the right of it and below, and those
/// without a patch to their left begin the rows. Under circular padding every patch has one: the rows
/// are rings, and any patch may be the first.
///
/// Patches can be noisy, so what counts is less how well two of them agree than that they agree far better
/// than any other two.
///
/// - Exact when: no two patches agree where they would overlap if they were neighbours, as two
///   with zeros there do.
/// - Complexity: taps · inputs multiply-adds for every pair of positions.
/// - Source: no paper; described in Documentation/Attacks.md.
package struct PositionOrder: Sendable {
  /// For every position, row-major, which of the patches is there.
  package let indices: [Int]
  /// Whether the map is a ring along its rows' and its columns' axis, so that it begins anywhere.
  package let isRing: [Bool]

  /// How far what two neighbours share may differ, relative to its size.
  package static let greatestMismatch = 0.1
  /// So many times as much has the next best to differ.
  private static let distinction = 4.0

  /// - Parameters:
  ///   - patches: positions × taps · inputs, in any order.
  ///   - map: the geometry.
  /// - Throws: `noNeighbours`; `disordered` where patches do not fit together to one map.
  package init(_ patches: DenseMatrix, _ map: PatchWalk.Map) throws(PatchWalkFailure) {
    precondition(patches.rows == map.positions && patches.columns == map.taps * map.inputs)
    for axis in 0..<2 where [map.height, map.width][axis] > 1 && map.kernel[axis] <= map.stride {
      throw .noNeighbours(kernel: map.kernel)
    }
    let rows = (0..<patches.rows).map(patches.row)
    let down = Self.successors(rows, map, axis: 0)
    let right = Self.successors(rows, map, axis: 1)
    let first = rows.indices.first { patch in
      [down, right].allSatisfy { $0.isRing || !$0.next.contains(patch) }
    }
    guard let first, let order = Self.grid(from: first, down.next, right.next, map),
      Set(order).count == map.positions, Self.fits(order, down.next, map)
    else { throw .disordered(height: map.height, width: map.width) }
    indices = order
    isRing = [down.isRing, right.isRing]
  }

  /// For each patch the one that follows along an axis; `nil` at the end of a row or column, and for all
  /// if they do not tell.
  private static func successors(
    _ rows: [[Double]], _ map: PatchWalk.Map, axis: Int
  ) -> (next: [Int?], isRing: Bool) {
    let none = (next: rows.map { _ in Int?.none }, isRing: false)
    guard [map.height, map.width][axis] > 1 else { return none }
    let distance = map.stride * (axis == 0 ? map.kernel[1] : 1)
    let next = (0..<map.taps).filter {
      let coordinate = axis == 0 ? $0 / map.kernel[1] : $0 % map.kernel[1]
      return coordinate + map.stride < map.kernel[axis]
    }
    func shared(_ row: [Double], _ taps: [Int]) -> [Double] {
      taps.flatMap { row[$0 * map.inputs..<($0 + 1) * map.inputs] }
    }
    let here = rows.map { shared($0, next.map { $0 + distance }) }
    let there = rows.map { shared($0, next) }
    let found = here.map { match(of: $0, among: there) }
    let extent = [map.height, map.width][axis]
    let count = rows.count / extent * (extent - 1)
    // The ends have a best match as well, but not one of noise.
    let ranked = found.map { $0?.mismatch ?? .infinity }.sorted()
    let limit = greatestMismatch * greatestMismatch
    let worst = ranked[count - 1]
    if ranked[rows.count - 1] <= limit, Set(found.map { $0?.index }).count == rows.count {
      return (found.map { $0?.index }, true)
    }
    guard worst <= limit, ranked[count] > distinction * distinction * worst else { return none }
    return (found.map { $0.flatMap { $0.mismatch <= worst ? $0.index : nil } }, false)
  }

  /// The row that agrees with another far better than all others do, and the square of the relative
  /// distance; `nil` if none does.
  private static func match(
    of wanted: [Double], among rows: [[Double]]
  ) -> (index: Int, mismatch: Double)? {
    let size = wanted.dot(wanted)
    guard size > 0 else { return nil }
    let mismatches = rows.map { row in
      zip(row, wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / size
    }
    let ranked = mismatches.indices.sorted { mismatches[$0] < mismatches[$1] }
    let (best, next) = (mismatches[ranked[0]], mismatches[ranked[1]])
    return next > distinction * distinction * best ? (ranked[0], best) : nil
  }

  /// The patches row by row, from the first of all.
  private static func grid(
    from first: Int, _ down: [Int?], _ right: [Int?], _ map: PatchWalk.Map
  ) -> [Int]? {
    guard let starts = chain(from: first, down, length: map.height) else { return nil }
    let rows = starts.compactMap { chain(from: $0, right, length: map.width) }
    return rows.count == map.height ? Array(rows.joined()) : nil
  }

  private static func chain(from first: Int, _ next: [Int?], length: Int) -> [Int]? {
    var result = [first]
    while result.count < length {
      guard let following = next[result[result.count - 1]] else { return nil }
      result.append(following)
    }
    return result
  }

  /// Whether every patch has below it the one that its overlap asks for.
  private static func fits(_ order: [Int], _ down: [Int?], _ map: PatchWalk.Map) -> Bool {
    (0..<max(map.positions - map.width, 0)).allSatisfy { down[order[$0]] == order[$0 + map.width] }
  }
}
