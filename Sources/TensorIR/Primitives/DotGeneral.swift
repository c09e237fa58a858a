/// Products of tensors: batched, and contracted over any axes.
///
/// - Shape: `[batch…, free axes of the left…, free axes of the right…]`, each in operand order.
/// - Transpose: Giles, *Collected matrix derivative results for forward and reverse mode
///   algorithmic differentiation*, 2008, §2.2.2: `Ā = C̄ Bᵀ`, `B̄ = Aᵀ C̄`.
/// - StableHLO: `dot_general`.
public struct DotGeneral: MultilinearPrimitive {
  public static let mnemonic = "dot_general"

  public var leftBatch: [Int]
  public var rightBatch: [Int]
  public var leftContracting: [Int]
  public var rightContracting: [Int]

  public init(
    leftBatch: [Int] = [], rightBatch: [Int] = [], leftContracting: [Int],
    rightContracting: [Int]
  ) {
    self.leftBatch = leftBatch
    self.rightBatch = rightBatch
    self.leftContracting = leftContracting
    self.rightContracting = rightContracting
  }

  /// The matrix product `[…, k] · [k, n]`, contracting the last axis of the left operand.
  public static func matrix(leftRank: Int) -> DotGeneral {
    DotGeneral(leftContracting: [leftRank - 1], rightContracting: [0])
  }

  public var attributes: Attributes {
    [
      "left_batch": .integers(leftBatch), "right_batch": .integers(rightBatch),
      "left_contracting": .integers(leftContracting),
      "right_contracting": .integers(rightContracting),
    ]
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    leftBatch = try attributes.integers("left_batch")
    rightBatch = try attributes.integers("right_batch")
    leftContracting = try attributes.integers("left_contracting")
    rightContracting = try attributes.integers("right_contracting")
  }

  /// The left operand's axes that appear in the result behind the batch axes.
  public func leftFree(_ left: TensorType) -> [Int] {
    left.shape.indices.filter { !(leftBatch + leftContracting).contains($0) }
  }

  /// The right operand's axes that appear in the result behind those of the left.
  public func rightFree(_ right: TensorType) -> [Int] {
    right.shape.indices.filter { !(rightBatch + rightContracting).contains($0) }
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .real)
    let (left, right) = (operands[0], operands[1])
    let (leftAxes, rightAxes) = (leftBatch + leftContracting, rightBatch + rightContracting)
    guard leftBatch.count == rightBatch.count, leftAxes.count == rightAxes.count,
      leftAxes.allSatisfy(left.shape.indices.contains),
      rightAxes.allSatisfy(right.shape.indices.contains),
      Set(leftAxes).count == leftAxes.count, Set(rightAxes).count == rightAxes.count,
      leftAxes.map({ left.shape[$0] }) == rightAxes.map({ right.shape[$0] })
    else {
      throw mismatch(operands, "equal extents along \(leftAxes) and \(rightAxes)")
    }
    return TensorType(
      leftBatch.map { left.shape[$0] } + leftFree(left).map { left.shape[$0] }
        + rightFree(right).map { right.shape[$0] })
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    let (left, right) = (operands[0].type, operands[1].type)
    let (leftFree, rightFree) = (leftFree(left), rightFree(right))
    let batch = Array(0..<leftBatch.count)
    let leftResult = leftFree.indices.map { batch.count + $0 }
    let rightResult = rightFree.indices.map { batch.count + leftFree.count + $0 }
    if operand == 0 {
      let product = graph.apply(
        DotGeneral(
          leftBatch: batch, rightBatch: rightBatch, leftContracting: rightResult,
          rightContracting: rightFree), cotangent, operands[1])
      // The axes that `product` has: batch, free of the left, then the right's contracted axes in
      // the right's order.
      let ascending = rightContracting.indices.sorted {
        rightContracting[$0] < rightContracting[$1]
      }
      let axes = leftBatch + leftFree + ascending.map { leftContracting[$0] }
      return graph.apply(Transpose(axes.inverted), product)
    }
    let product = graph.apply(
      DotGeneral(
        leftBatch: leftBatch, rightBatch: batch, leftContracting: leftFree,
        rightContracting: leftResult), operands[0], cotangent)
    let ascending = leftContracting.indices.sorted { leftContracting[$0] < leftContracting[$1] }
    let axes = rightBatch + ascending.map { rightContracting[$0] } + rightFree
    return graph.apply(Transpose(axes.inverted), product)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let shift = { (axes: [Int], isShifted: Bool) in axes.map { isShifted ? $0 + 1 : $0 } }
    let moved = DotGeneral(
      leftBatch: (isBatched[0] && isBatched[1] ? [0] : []) + shift(leftBatch, isBatched[0]),
      rightBatch: (isBatched[0] && isBatched[1] ? [0] : []) + shift(rightBatch, isBatched[1]),
      leftContracting: shift(leftContracting, isBatched[0]),
      rightContracting: shift(rightContracting, isBatched[1]))
    let product = graph.apply(moved, operands)
    guard isBatched[0] != isBatched[1] else { return product }
    // The new axis is the first free axis of its operand; bring it to the front.
    let position =
      isBatched[0]
      ? leftBatch.count
      : leftBatch.count + leftFree(operands[0].type).count
    let others = product.type.shape.indices.filter { $0 != position }
    return graph.apply(Transpose([position] + others), product)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let (left, right) = (types[0], types[1])
    let (leftStrides, rightStrides) = (left.strides, right.strides)
    let (leftFree, rightFree) = (leftFree(left), rightFree(right))
    let inner = Array(RowMajorPositions(leftContracting.map { left.shape[$0] }))
    let leftInner = inner.map { $0.offset(leftContracting.map { leftStrides[$0] }) }
    let rightInner = inner.map { $0.offset(rightContracting.map { rightStrides[$0] }) }
    let leftSteps =
      (leftBatch + leftFree).map { leftStrides[$0] } + rightFree.map { _ in 0 }
    let rightSteps =
      rightBatch.map { rightStrides[$0] } + leftFree.map { _ in 0 }
      + rightFree.map { rightStrides[$0] }
    return RowMajorPositions(result.shape).map { position in
      let (a, b) = (position.offset(leftSteps), position.offset(rightSteps))
      var sum = 0.0
      for index in inner.indices {
        sum += operands[0][a + leftInner[index]] * operands[1][b + rightInner[index]]
      }
      return sum
    }
  }
}

extension [Int] {
  /// The permutation that puts axis `self[i]` back where it belongs.
  fileprivate var inverted: [Int] { Transpose(self).inverse }
}
