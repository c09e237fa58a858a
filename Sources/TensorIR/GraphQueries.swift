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
  public func input(named name: String) -> Value? { inputsByName[name].map { value($0) } }

  /// The output of that name.
  public func output(named name: String) -> Value? {
    outputsByName[name].map { outputs[$0].value }
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
