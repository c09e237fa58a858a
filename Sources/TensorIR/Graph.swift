/// A typed result inside one ``Graph``.
public struct Value: Hashable, Sendable {
  /// The position of the node that makes it.
  public let index: Int
  public let type: TensorType

  public static func == (lhs: Self, rhs: Self) -> Bool { lhs.index == rhs.index }
  public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}

/// A straight-line program in single-assignment form.
///
/// Equal nodes are made once, constants are folded and identities dropped as nodes are appended, so
/// the primal values that derivatives of a graph need are shared with the graph itself.
public struct Graph: Sendable {
  /// How often an input changes.
  public enum InputKind: String, Sendable, CaseIterable {
    /// Bound once for many runs, such as weights and a target gradient.
    ///
    /// A backend computes what depends on parameters and constants alone when they are bound, not
    /// in every run.
    case parameter
    /// Bound before each run, such as the candidate input.
    case argument
  }

  /// How a node comes about.
  public enum Origin: Sendable {
    case input(name: String, InputKind)
    /// One number for every element.
    case constant(Double)
    /// Elements in row-major order.
    case table([Double])
    case primitive(any Primitive, [Value])
    /// Stands for a tangent until its program is transposed; no result depends on it afterwards.
    case placeholder
  }

  /// One node and its type.
  public struct Node: Sendable {
    public let origin: Origin
    public let type: TensorType
  }

  /// A named result.
  public struct Output: Sendable {
    public let name: String
    public let value: Value
    /// The input that holds this result in the next run, such as an optimiser's state.
    public let carriedInto: Value?
  }

  public private(set) var nodes: [Node] = []
  public private(set) var outputs: [Output] = []
  /// Nodes by what makes them, so that nothing is computed twice.
  private var known: [Expression: Int] = [:]

  public init() {}

  /// Appends an input.
  ///
  /// - Precondition: No other input has that name.
  public mutating func input(
    _ name: String, _ type: TensorType, _ kind: InputKind = .argument
  ) -> Value {
    precondition(input(named: name) == nil, "two inputs are called '\(name)'")
    return append(.input(name: name, kind), type)
  }

  /// A tensor of `type` whose every element is `scalar`.
  public mutating func constant(_ scalar: Double, _ type: TensorType = .scalar) -> Value {
    unique(Expression(.constant(scalar.bitPattern), type)) { .constant(scalar) }
  }

  /// A tensor with these elements in row-major order.
  ///
  /// - Precondition: There are as many elements as `type` has.
  public mutating func table(_ elements: [Double], _ type: TensorType) -> Value {
    precondition(elements.count == type.elementCount, "\(elements.count) elements for \(type)")
    if let first = elements.first, elements.allSatisfy({ $0.bitPattern == first.bitPattern }) {
      return constant(first, type)
    }
    return append(.table(elements), type)
  }

  /// A tensor of zeros.
  public mutating func zero(_ type: TensorType) -> Value { constant(0, type) }

  /// Names a result.
  ///
  /// - Precondition: The name is new; `carriedInto` is an input of the same type.
  public mutating func output(_ name: String, _ value: Value, carriedInto input: Value? = nil) {
    precondition(!outputs.contains { $0.name == name }, "two outputs are called '\(name)'")
    precondition(input.map { $0.type == value.type } ?? true, "'\(name)' does not fit its input")
    outputs.append(Output(name: name, value: value, carriedInto: input))
  }

  /// Appends `primitive` applied to `operands`, or finds a value that equals it.
  ///
  /// - Precondition: The operand types fit. A caller holding untrusted shapes asks
  ///   ``Primitive/resultType(of:)`` first, which throws instead of trapping.
  public mutating func apply(_ primitive: some Primitive, _ operands: [Value]) -> Value {
    let type: TensorType
    do throws(TypeMismatch) {
      type = try primitive.resultType(of: operands.map(\.type))
    } catch {
      preconditionFailure(error.description)
    }
    if let simpler = primitive.simplified(operands, in: &self) { return simpler }
    if let folded = folded(primitive, operands, type) { return folded }
    if let copied = copied(primitive, operands, type) { return copied }
    return unique(Expression(.primitive(AnyPrimitive(primitive), operands), type)) {
      .primitive(primitive, operands)
    }
  }

  /// Appends `primitive` applied to `operands`, or finds a value that equals it.
  public mutating func apply(_ primitive: some Primitive, _ operands: Value...) -> Value {
    apply(primitive, operands)
  }

  /// The same nodes without outputs.
  public init(withoutOutputsOf graph: Graph) {
    self = graph
    outputs = []
  }

  /// Appends a node as it stands, without sharing or simplification.
  mutating func append(_ origin: Origin, _ type: TensorType) -> Value {
    let value = Value(index: nodes.count, type: type)
    nodes.append(Node(origin: origin, type: type))
    return value
  }

  private mutating func unique(_ expression: Expression, _ origin: () -> Origin) -> Value {
    if let index = known[expression] { return Value(index: index, type: expression.type) }
    let value = append(origin(), expression.type)
    known[expression] = value.index
    return value
  }

  /// The value of an element-wise primitive over uniform constants.
  private mutating func folded(
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
  private mutating func copied(
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

extension Graph {
  /// The value of node `index`.
  public func value(_ index: Int) -> Value { Value(index: index, type: nodes[index].type) }

  /// How `value` comes about.
  public func origin(of value: Value) -> Origin { nodes[value.index].origin }

  /// What makes `value`, if it is `Kind` applied to operands.
  public func application<Kind: Primitive>(
    _ value: Value, of kind: Kind.Type
  ) -> (primitive: Kind, operands: [Value])? {
    guard case .primitive(let primitive, let operands) = origin(of: value),
      let primitive = primitive as? Kind
    else { return nil }
    return (primitive, operands)
  }

  /// The number that every element of `value` is known to be.
  public func uniform(_ value: Value) -> Double? {
    if case .constant(let scalar) = origin(of: value) { return scalar }
    return nil
  }

  /// The inputs in the order they were made.
  public var inputs: [(name: String, kind: InputKind, value: Value)] {
    nodes.indices.compactMap { index in
      guard case .input(let name, let kind) = nodes[index].origin else { return nil }
      return (name, kind, value(index))
    }
  }

  /// The name of an input.
  ///
  /// - Precondition: `value` is one.
  public func inputName(_ value: Value) -> String {
    guard case .input(let name, _) = origin(of: value) else {
      preconditionFailure("%\(value.index) is no input")
    }
    return name
  }

  /// The input of that name.
  public func input(named name: String) -> Value? {
    for (index, node) in nodes.enumerated() {
      if case .input(name, _) = node.origin { return value(index) }
    }
    return nil
  }

  /// The output of that name.
  public func output(named name: String) -> Value? {
    outputs.first { $0.name == name }?.value
  }

  /// The sum of what is there; `nil` means zero.
  mutating func sum(_ lhs: Value?, _ rhs: Value?) -> Value? {
    switch (lhs, rhs) {
    case (let lhs?, let rhs?): apply(Add(), lhs, rhs)
    case (let only?, nil), (nil, let only?): only
    case (nil, nil): nil
    }
  }
}

/// What makes a node, as a key.
private struct Expression: Hashable {
  enum Kind: Hashable {
    case constant(UInt64)
    case primitive(AnyPrimitive, [Value])
  }

  let kind: Kind
  let type: TensorType

  init(_ kind: Kind, _ type: TensorType) {
    self.kind = kind
    self.type = type
  }
}

/// A primitive as a key.
private struct AnyPrimitive: Hashable {
  let name: String
  let attributes: Attributes

  init(_ primitive: some Primitive) {
    name = primitive.mnemonic
    attributes = primitive.attributes
  }
}
