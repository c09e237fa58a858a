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

    package init(name: String, value: Value, carriedInto: Value?) {
      self.name = name
      self.value = value
      self.carriedInto = carriedInto
    }
  }

  public private(set) var nodes: [Node] = []
  public private(set) var outputs: [Output] = []
  /// Nodes by what makes them, so that nothing is computed twice.
  private var known: [Expression: Int] = [:]
  private(set) var inputsByName: [String: Int] = [:]
  private(set) var outputsByName: [String: Int] = [:]

  public init() {}

  /// Appends an input.
  ///
  /// - Precondition: No other input has that name, and a tensor can have that type.
  public mutating func input(
    _ name: String, _ type: TensorType, _ kind: InputKind = .argument
  ) -> Value {
    precondition(inputsByName[name] == nil, "two inputs are called '\(name)'")
    precondition(type.isRepresentable, "no tensor is of type \(type)")
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
    precondition(outputsByName[name] == nil, "two outputs are called '\(name)'")
    precondition(input.map { $0.type == value.type } ?? true, "'\(name)' does not fit its input")
    append(Output(name: name, value: value, carriedInto: input))
  }

  /// Appends `primitive` applied to `operands`, or finds a value that equals it.
  ///
  /// - Precondition: The operand types fit. A caller holding untrusted shapes asks
  ///   ``Primitive/checkedResultType(of:)`` first, which throws instead of trapping.
  public mutating func apply(_ primitive: some Primitive, _ operands: [Value]) -> Value {
    let type: TensorType
    do throws(TypeMismatch) {
      type = try primitive.checkedResultType(of: operands.map(\.type))
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
    outputsByName = [:]
  }

  /// Appends a node as it stands: not simplified, not shared and not checked.
  ///
  /// What is applied later is shared with it. ``verify()`` tells whether the graph is sound.
  package mutating func append(_ origin: Origin, _ type: TensorType) -> Value {
    let value = insert(origin, type)
    switch origin {
    case .constant(let scalar): register(Expression(.constant(scalar.bitPattern), type), value)
    case .primitive(let primitive, let operands):
      register(Expression(.primitive(AnyPrimitive(primitive), operands), type), value)
    case .input, .table, .placeholder: break
    }
    return value
  }

  /// Appends an output as it stands.
  package mutating func append(_ output: Output) {
    if outputsByName[output.name] == nil { outputsByName[output.name] = outputs.count }
    outputs.append(output)
  }

  private mutating func insert(_ origin: Origin, _ type: TensorType) -> Value {
    let value = Value(index: nodes.count, type: type)
    nodes.append(Node(origin: origin, type: type))
    if case .input(let name, _) = origin, inputsByName[name] == nil {
      inputsByName[name] = value.index
    }
    return value
  }

  private mutating func register(_ expression: Expression, _ value: Value) {
    if known[expression] == nil { known[expression] = value.index }
  }

  private mutating func unique(_ expression: Expression, _ origin: () -> Origin) -> Value {
    if let index = known[expression] { return Value(index: index, type: expression.type) }
    precondition(expression.type.isRepresentable, "no tensor is of type \(expression.type)")
    let value = insert(origin(), expression.type)
    known[expression] = value.index
    return value
  }
}
