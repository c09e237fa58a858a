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
  /// - Complexity: One pass over the elements, and room for them, per step that moves any.
  public func graphElements(_ table: [Double]) -> [Double] {
    var shapes = [graphShape]
    for step in steps { shapes.append(step.shape(from: shapes[shapes.count - 1])) }
    return zip(steps, shapes).reversed().reduce(table) { elements, step in
      step.0.inverse(from: step.1).moved(elements, step.0.shape(from: step.1))
    }
  }

  /// The elements in the order of the table.
  ///
  /// - Shape: `graph` is row-major of ``graphShape``, the result of ``tableShape``.
  /// - Complexity: One pass over the elements, and room for them, per step that moves any.
  public func tableElements(_ graph: [Double]) -> [Double] {
    var shape = graphShape
    return steps.reduce(graph) { elements, step in
      defer { shape = step.shape(from: shape) }
      return step.moved(elements, shape)
    }
  }
}

extension ParameterArrangement.Step {
  /// The extents behind the step.
  fileprivate func shape(from shape: [Int]) -> [Int] {
    switch self {
    case .reshape(let extents): extents
    case .transpose(let permutation): permutation.map { shape[$0] }
    case .reorder: shape
    }
  }

  /// The step that leads back to `shape`.
  fileprivate func inverse(from shape: [Int]) -> Self {
    switch self {
    case .reshape: .reshape(shape)
    case .transpose(let permutation): .transpose(permutation.inverse)
    case .reorder(let axis, let blocks): .reorder(axis: axis, blocks: blocks.inverse)
    }
  }

  /// Elements that are row-major of `shape`, behind the step.
  fileprivate func moved(_ elements: [Double], _ shape: [Int]) -> [Double] {
    switch self {
    case .reshape: return elements
    case .transpose(let permutation):
      let strides = Self.strides(shape)
      return Self.gathered(
        elements, permutation.map { shape[$0] }, permutation.map { strides[$0] })
    case .reorder(let axis, let blocks):
      let length = shape[axis] / blocks.count * shape[(axis + 1)...].reduce(1, *)
      var result: [Double] = []
      result.reserveCapacity(elements.count)
      for row in 0..<shape[..<axis].reduce(1, *) {
        for block in blocks {
          let start = (row * blocks.count + block) * length
          result += elements[start..<start + length]
        }
      }
      return result
    }
  }

  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The elements at positions that lie `strides` apart, in row-major order of `shape`.
  private static func gathered(
    _ elements: [Double], _ shape: [Int], _ strides: [Int]
  ) -> [Double] {
    guard let last = shape.indices.last, !elements.isEmpty else { return elements }
    var result: [Double] = []
    result.reserveCapacity(elements.count)
    var position = shape.map { _ in 0 }
    var base = 0
    while result.count < elements.count {
      for place in 0..<shape[last] { result.append(elements[base + place * strides[last]]) }
      // To the next position in front of the last axis.
      for axis in shape.indices.dropLast().reversed() {
        position[axis] += 1
        base += strides[axis]
        guard position[axis] == shape[axis] else { break }
        base -= position[axis] * strides[axis]
        position[axis] = 0
      }
    }
    return result
  }
}

extension [Int] {
  /// The permutation that undoes this one.
  fileprivate var inverse: [Int] {
    var inverse = self
    for (place, source) in enumerated() { inverse[source] = place }
    return inverse
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
