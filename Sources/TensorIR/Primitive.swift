/// One operation of the IR: its type rule, its meaning and its differentiation rules.
///
/// The set of conformances is closed; each lives in one file and has one line in
/// ``PrimitiveCatalog``. Names and semantics are those of StableHLO where it has the operation.
/// Rules speak in graph nodes, never in numbers, so a derivative is a program like any other and
/// can be differentiated again.
public protocol Primitive: Hashable, Sendable {
  /// The StableHLO name without its dialect prefix.
  static var mnemonic: String { get }

  /// What besides the operands determines the result; written between braces in the text form.
  var attributes: Attributes { get }

  /// - Throws: ``AttributeMismatch`` if an attribute is missing or is of another kind.
  init(_ attributes: Attributes) throws(AttributeMismatch)

  /// The type of the result, or why there is none.
  ///
  /// - Precondition: Tensors can be of the operands' types.
  func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType

  /// Maps operand tangents to the result's tangent; `nil` means zero.
  ///
  /// The nodes it emits are linear in the tangents: reverse mode transposes them.
  ///
  /// - Precondition: At least one tangent is not `nil`.
  func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value?

  /// For an operand in which the primitive is linear while the others are held: maps the result's
  /// cotangent to the operand's; `nil` means zero. `linear` tells which operands depend on what is
  /// being transposed.
  func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value?

  /// The result when some operands carry an additional leading axis of one common extent.
  ///
  /// - Returns: A value with that leading axis.
  func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value

  /// A cheaper value that equals the result, if there is one.
  ///
  /// The sign of zero and the order of a sum may differ. A rule that gives up more, or something
  /// for infinities and NaN, says so.
  func simplified(_ operands: [Value], in graph: inout Graph) -> Value?

  /// The defining, unoptimised meaning in row-major order. Backends are tested against it.
  ///
  /// Truth values are 0 and 1; indices are whole numbers.
  func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double]
}

extension Primitive {
  /// The type of the result for operands and attributes of any origin.
  ///
  /// - Throws: ``TypeMismatch`` if the operands do not fit, or if no tensor is of the result's type.
  public func checkedResultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.allSatisfy(\.isRepresentable) else {
      throw mismatch(
        operands, "at most \(TensorType.largestRank) extents from 1 to \(TensorType.largestExtent)")
    }
    let type = try resultType(of: operands)
    guard type.isRepresentable else {
      throw mismatch(operands, "a smaller result than \(type)")
    }
    return type
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? { nil }

  /// The name of the operation.
  public var mnemonic: String { Self.mnemonic }

  /// What to throw when the operands do not fit.
  func mismatch(_ operands: [TensorType], _ expectation: String) -> TypeMismatch {
    TypeMismatch(Self.mnemonic, operands, expected: expectation)
  }

  /// - Throws: ``TypeMismatch`` unless there are `count` operands of these elements.
  func require(_ operands: [TensorType], _ elements: ElementType...) throws(TypeMismatch) {
    guard operands.map(\.element) == elements else {
      let needed = elements.map(\.rawValue).joined(separator: ", ")
      throw mismatch(operands, "operands of kind (\(needed))")
    }
  }
}

/// A primitive without attributes.
protocol PlainPrimitive: Primitive { init() }

extension PlainPrimitive {
  public var attributes: Attributes { [:] }
  public init(_ attributes: Attributes) throws(AttributeMismatch) { self.init() }
}

/// A primitive that is linear in all of its operands taken together.
protocol LinearPrimitive: Primitive {}

extension LinearPrimitive {
  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    let filled = zip(tangents, operands).map { $0 ?? graph.zero($1.type) }
    return graph.apply(self, filled)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    zeroOfZeros(operands, in: &graph)
  }

  /// Zeros, if every operand is zero.
  func zeroOfZeros(_ operands: [Value], in graph: inout Graph) -> Value? {
    guard !operands.isEmpty, operands.allSatisfy({ graph.uniform($0) == 0 }),
      let type = try? resultType(of: operands.map(\.type))
    else { return nil }
    return graph.zero(type)
  }
}

/// A primitive that is linear in each of its operands while the others are held.
protocol MultilinearPrimitive: Primitive {}

extension MultilinearPrimitive {
  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    var sum: Value?
    for (index, tangent) in tangents.enumerated() {
      guard let tangent else { continue }
      var moved = operands
      moved[index] = tangent
      sum = graph.sum(sum, graph.apply(self, moved))
    }
    return sum
  }

  /// Zeros, if a real operand is zero.
  ///
  /// Given up: zero times an infinity or NaN is NaN. Symbolic zeros stand for absent tangents, not
  /// for numbers that may meet an infinity.
  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    guard operands.contains(where: { $0.type.element == .real && graph.uniform($0) == 0 }),
      let type = try? resultType(of: operands.map(\.type))
    else { return nil }
    return graph.zero(type)
  }
}

/// A primitive whose result has no derivative or a derivative of zero almost everywhere.
protocol PiecewiseConstantPrimitive: Primitive {}

extension PiecewiseConstantPrimitive {
  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? { nil }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? { nil }
}
