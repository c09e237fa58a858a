/// What makes a node, as a key.
struct Expression: Hashable {
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
struct AnyPrimitive: Hashable {
  let name: String
  let attributes: Attributes

  init(_ primitive: some Primitive) {
    name = primitive.mnemonic
    attributes = primitive.attributes
  }
}
