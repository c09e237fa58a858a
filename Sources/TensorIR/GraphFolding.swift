extension Graph {
  /// The value of an element-wise primitive over uniform constants.
  mutating func folded(
    _ primitive: some Primitive, _ operands: [Value], _ type: TensorType
  ) -> Value? {
    guard primitive is any ElementwisePrimitive, !operands.isEmpty else { return nil }
    let scalars = operands.compactMap { uniform($0) }
    guard scalars.count == operands.count else { return nil }
    let one = TensorType([], type.element)
    let result = primitive.reference(
      scalars.map { [$0] }, types: operands.map { TensorType([], $0.type.element) }, result: one)
    return constant(result[0], type)
  }

  /// An element-wise primitive over copies of smaller tensors is a copy of a smaller result.
  mutating func copied(
    _ primitive: some Primitive, _ operands: [Value], _ type: TensorType
  ) -> Value? {
    guard primitive is any ElementwisePrimitive else { return nil }
    var copies: BroadcastInDim?
    var small: [Value?] = []
    for operand in operands {
      if let copy = application(operand, of: BroadcastInDim.self) {
        guard copies ?? copy.primitive == copy.primitive else { return nil }
        copies = copy.primitive
        small.append(copy.operands[0])
      } else {
        guard uniform(operand) != nil else { return nil }
        small.append(nil)
      }
    }
    guard let copies else { return nil }
    let shape = copies.axes.map { copies.shape[$0] }
    let shrunk = zip(operands, small).map { operand, small in
      small ?? constant(uniform(operand) ?? 0, operand.type.reshaped(shape))
    }
    return apply(copies, [apply(primitive, shrunk)])
  }
}
