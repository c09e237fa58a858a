/// How a parameter's elements lie in a table of a framework, against how the graph holds them.
///
/// Every step reorders elements and keeps their number, so a gradient goes the same way as its
/// parameter, and both ways lose nothing.
public struct ParameterArrangement: Hashable, Sendable {
  /// One step on the way from the graph to the table.
  public enum Step: Hashable, Sendable {
    /// The same elements, in the same order, under other extents.
    case reshape([Int])
    /// Axis `i` of the result is axis `permutation[i]`.
    case transpose([Int])
    /// Block `i` along an axis is block `order[i]`, all blocks of one extent.
    case reorder(axis: Int, blocks: [Int])
  }

  /// The extents in the graph.
  public let graphShape: [Int]
  /// The extents in the table.
  public private(set) var tableShape: [Int]
  /// What leads from the graph to the table, in this order.
  public private(set) var steps: [Step] = []

  /// The same in table and graph.
  public init(_ shape: [Int]) {
    graphShape = shape
    tableShape = shape
  }

  /// Adds a step.
  ///
  /// - Precondition: `shape` has as many elements.
  public func reshaped(_ shape: [Int]) -> ParameterArrangement {
    precondition(
      shape.reduce(1, *) == tableShape.reduce(1, *), "\(tableShape) cannot become \(shape)")
    return adding(.reshape(shape), shape)
  }

  /// Adds a step.
  ///
  /// - Precondition: `permutation` names every axis once.
  public func transposed(_ permutation: [Int]) -> ParameterArrangement {
    precondition(permutation.sorted() == Array(tableShape.indices), "no permutation of the axes")
    return adding(.transpose(permutation), permutation.map { tableShape[$0] })
  }

  /// Adds a step.
  ///
  /// - Precondition: `blocks` orders as many blocks as divide the extent of the axis.
  public func reordered(axis: Int, blocks: [Int]) -> ParameterArrangement {
    precondition(
      blocks.sorted() == Array(blocks.indices) && tableShape[axis] % blocks.count == 0,
      "no order of equal blocks")
    return adding(.reorder(axis: axis, blocks: blocks), tableShape)
  }

  private func adding(_ step: Step, _ shape: [Int]) -> ParameterArrangement {
    var longer = self
    longer.steps.append(step)
    longer.tableShape = shape
    return longer
  }
}

extension ParameterArrangement {
  /// The elements in the order of the graph.
  ///
  /// - Shape: `table` is row-major of ``tableShape``, the result of ``graphShape``.
  /// - Complexity: One pass over the elements per step that moves any.
  public func graphElements(_ table: [Double]) -> [Double] {
    guard let sources = tableSources else { return table }
    var elements = table
    for (place, source) in sources.enumerated() { elements[source] = table[place] }
    return elements
  }

  /// The elements in the order of the table.
  ///
  /// - Shape: `graph` is row-major of ``graphShape``, the result of ``tableShape``.
  /// - Complexity: One pass over the elements per step that moves any.
  public func tableElements(_ graph: [Double]) -> [Double] {
    guard let sources = tableSources else { return graph }
    return sources.map { graph[$0] }
  }

  /// Where in the graph's elements each element of the table lies; `nil` if nothing moves.
  private var tableSources: [Int]? {
    var sources: [Int]?
    var shape = graphShape
    for step in steps {
      switch step {
      case .reshape(let extents): shape = extents
      case .transpose(let permutation):
        let current = sources ?? Array(0..<shape.reduce(1, *))
        let strides = Self.strides(shape)
        let moved = permutation.map { shape[$0] }
        sources = Self.offsets(moved, permutation.map { strides[$0] }).map { current[$0] }
        shape = moved
      case .reorder(let axis, let blocks):
        let current = sources ?? Array(0..<shape.reduce(1, *))
        let inner = shape[(axis + 1)...].reduce(1, *)
        let length = shape[axis] / blocks.count * inner
        let outer = shape[..<axis].reduce(1, *)
        sources = (0..<outer).flatMap { row in
          blocks.flatMap { block in
            let start = (row * blocks.count + block) * length
            return current[start..<start + length]
          }
        }
      }
    }
    return sources
  }

  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The offsets, in row-major order of `shape`, of positions that lie `strides` apart.
  private static func offsets(_ shape: [Int], _ strides: [Int]) -> [Int] {
    zip(shape, strides).reduce(into: [0]) { offsets, axis in
      offsets = offsets.flatMap { base in (0..<axis.0).map { base + $0 * axis.1 } }
    }
  }
}

extension ParameterArrangement {
  /// A matrix `[inputs, outputs]`, which the channels-first convention holds `[outputs, inputs]`.
  static func matrix(
    _ shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    let arrangement = ParameterArrangement(shape)
    return convention == .channelsFirst ? arrangement.transposed([1, 0]) : arrangement
  }

  /// A kernel `[K…, I, O]`, which the channels-first convention holds `[O, I, K…]`.
  static func kernel(
    _ shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    let arrangement = ParameterArrangement(shape)
    let rank = shape.count
    return convention == .channelsFirst
      ? arrangement.transposed([rank - 1, rank - 2] + Array(0..<rank - 2)) : arrangement
  }
}
