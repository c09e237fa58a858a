internal import COneDNN
internal import TensorIR

/// Turns a graph into items: element-wise operations, reductions and steps of their own.
///
/// Reshapes, transposes, slices and broadcasts vanish into the accesses of those who read them.
struct Lowering {
  /// An item through an access: what a value of the graph is.
  struct View: Hashable {
    var item: Int
    var access: Access
  }

  let graph: Graph
  private(set) var items: [Item] = []
  /// Items of the graph's outputs, in order.
  private(set) var outputs: [Int] = []
  private var views: [Int: View] = [:]
  private var copies: [View: Int] = [:]

  init(_ graph: Graph) throws(BackendError) {
    self.graph = graph
    let isNeeded = graph.needed
    for index in graph.nodes.indices {
      if case .input(let name, let kind) = graph.nodes[index].origin {
        let form = Item.Form.input(name: name, isParameter: kind == .parameter)
        define(index, form, isConstant: kind == .parameter)
      } else if isNeeded[index] {
        try lower(index)
      }
    }
    for output in graph.outputs {
      let view = self[output.value]
      var item = dense(view)
      switch items[item].form {
      case .input, .constant, .table:
        item = append(.element(leak_copy, [.flat(item)]), items[item].shape)
      default: break
      }
      outputs.append(item)
    }
  }

  /// What a value of the graph is.
  subscript(value: Value) -> View {
    guard let view = views[value.index] else {
      preconditionFailure("node \(value.index) is used before it is made")
    }
    return view
  }

  mutating func append(_ form: Item.Form, _ shape: [Int], isConstant: Bool? = nil) -> Int {
    let operands: [Int] =
      switch form {
      case .element(_, let operands): operands.compactMap(\.item)
      case .fold(_, let operand): [operand].compactMap(\.item)
      case .opaque(_, let operands): operands
      default: []
      }
    items.append(
      Item(
        form: form, count: shape.reduce(1, *), shape: shape,
        isConstant: isConstant ?? operands.allSatisfy { items[$0].isConstant }))
    return items.count - 1
  }

  /// Makes node `index` an item of its own.
  mutating func define(_ index: Int, _ form: Item.Form, isConstant: Bool? = nil) {
    let shape = graph.nodes[index].type.shape
    let item = append(form, shape, isConstant: isConstant)
    views[index] = View(item: item, access: Access(dense: shape))
  }

  /// Makes node `index` another way to read what there is.
  mutating func define(_ index: Int, as view: View) { views[index] = view }

  private mutating func lower(_ index: Int) throws(BackendError) {
    let node = graph.nodes[index]
    guard !node.type.shape.contains(0) else {
      throw BackendError("node \(index) has no elements: \(node.type)")
    }
    switch node.origin {
    case .input: break
    case .placeholder: throw BackendError("node \(index) is a placeholder")
    case .constant(let number):
      let item = append(.constant(number), [], isConstant: true)
      let shape = node.type.shape
      views[index] = View(item: item, access: Access(dense: []).broadcast(to: shape, axes: []))
    case .table(let elements): define(index, .table(elements), isConstant: true)
    case .primitive(let primitive, let operands):
      if let operation = leak_operation(elementwise: primitive) {
        let count = node.type.elementCount
        define(index, .element(operation, operands.map { operand(self[$0], count) }))
      } else {
        try lower(primitive, operands, index)
      }
    }
  }

  /// How an element-wise item of `count` elements reads a view.
  func operand(_ view: View, _ count: Int) -> Operand {
    let elements = items[view.item].count
    if view.access.isDense && elements == count { return .flat(view.item) }
    if elements == 1 { return .scalar(view.item) }
    return .load(view.item, view.access.collapsed)
  }

  /// The item that holds a view's elements in row-major order, copied if need be.
  mutating func dense(_ view: View) -> Int {
    if view.access.isDense && items[view.item].count == view.access.count { return view.item }
    if let copy = copies[view] { return copy }
    let operand = operand(view, view.access.count)
    let copy = append(.element(leak_copy, [operand]), view.access.extents)
    copies[view] = copy
    return copy
  }
}

extension Graph {
  /// Which nodes the outputs depend on.
  fileprivate var needed: [Bool] {
    var isNeeded = Array(repeating: false, count: nodes.count)
    for output in outputs { isNeeded[output.value.index] = true }
    for index in nodes.indices.reversed() where isNeeded[index] {
      guard case .primitive(_, let operands) = nodes[index].origin else { continue }
      for operand in operands { isNeeded[operand.index] = true }
    }
    return isNeeded
  }
}
