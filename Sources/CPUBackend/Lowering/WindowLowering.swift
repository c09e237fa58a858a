internal import COneDNN
internal import TensorIR

extension Lowering {
  /// Lowers pooling and the primitives that pick and add by index.
  mutating func lowerWindow(
    _ primitive: any Primitive, _ operands: [Value], _ index: Int
  ) throws(BackendError) {
    let type = graph.nodes[index].type
    switch primitive {
    case let window as ReduceWindow:
      let form = WindowForm(window.geometry, input: operands[0].type, output: type)
      define(index, .window(leak_window_sum, form), operands)
    case let window as ReduceWindowTranspose:
      let form = WindowForm(window.geometry, input: type, output: operands[0].type)
      define(index, .window(leak_window_spread, form), operands)
    case let window as WindowArgmax:
      let form = WindowForm(window.geometry, input: operands[0].type, output: type)
      define(index, .window(leak_window_argmax, form), operands)
    case is WindowGather:
      let form = PlaneForm(plane: operands[0].type, picked: operands[1].type)
      define(index, .gatherPlaces(form), operands)
    case is WindowScatter:
      define(index, .scatterPlaces(PlaneForm(plane: type, picked: operands[0].type)), operands)
    default:
      throw BackendError("the CPU backend has no lowering of '\(primitive.mnemonic)'")
    }
  }

  /// A product over dense matrices; products without a sum and dot products are element-wise.
  mutating func lowerProduct(_ dot: DotGeneral, _ operands: [Value], _ index: Int) {
    let (left, right) = (operands[0].type, operands[1].type)
    let extents = { (type: TensorType, axes: [Int]) in axes.reduce(1) { $0 * type.shape[$1] } }
    let (leftFree, rightFree) = (dot.leftFree(left), dot.rightFree(right))
    var form = ProductForm(
      batch: extents(left, dot.leftBatch), rows: extents(left, leftFree),
      inner: extents(left, dot.leftContracting), columns: extents(right, rightFree),
      isLeftTransposed: false, isRightTransposed: false)
    let (first, second) = (self[operands[0]], self[operands[1]])
    let type = graph.nodes[index].type
    if form.inner == 1 {
      let batch = Array(dot.leftBatch.indices)
      let free = leftFree.indices.map { batch.count + $0 }
      let behind = rightFree.indices.map { batch.count + free.count + $0 }
      let spread = [
        View(
          item: first.item,
          access: first.access.permuted(dot.leftBatch + leftFree)
            .broadcast(to: type.shape, axes: batch + free)),
        View(
          item: second.item,
          access: second.access.permuted(dot.rightBatch + rightFree)
            .broadcast(to: type.shape, axes: batch + behind)),
      ]
      let count = type.elementCount
      define(index, .element(leak_multiply, spread.map { operand($0, count) }))
      return
    }
    if form.batch * form.rows * form.columns == 1 {
      let sides = [
        View(
          item: first.item,
          access: first.access.permuted(dot.leftContracting + dot.leftBatch + leftFree)),
        View(
          item: second.item,
          access: second.access.permuted(dot.rightContracting + dot.rightBatch + rightFree)),
      ]
      let products = append(
        .element(leak_multiply, sides.map { operand($0, form.inner) }), [form.inner])
      let space = Space(groups: 1, rows: 1, columns: form.inner)
      define(index, .fold(Fold(kind: .all, isMaximum: false, space: space), .flat(products)))
      return
    }
    let leftItem: Int
    let rightItem: Int
    (leftItem, form.isLeftTransposed) = matrix(
      first, batch: dot.leftBatch, outer: leftFree, inner: dot.leftContracting)
    (rightItem, form.isRightTransposed) = matrix(
      second, batch: dot.rightBatch, outer: dot.rightContracting, inner: rightFree)
    define(index, .opaque(.product(form), [leftItem, rightItem]))
  }

  /// The item that holds `[batch, outer, inner]`, or that with the last two exchanged.
  private mutating func matrix(
    _ view: View, batch: [Int], outer: [Int], inner: [Int]
  ) -> (item: Int, isTransposed: Bool) {
    let straight = View(item: view.item, access: view.access.permuted(batch + outer + inner))
    let crossed = View(item: view.item, access: view.access.permuted(batch + inner + outer))
    if crossed.access.isDense && !straight.access.isDense
      && items[view.item].count == crossed.access.count
    {
      return (view.item, true)
    }
    return (dense(straight), false)
  }
}

extension WindowForm {
  fileprivate init(_ geometry: WindowGeometry, input: TensorType, output: TensorType) {
    let rank = geometry.rank
    self.init(
      batch: input.shape[0], channels: input.shape[rank + 1], input: Array(input.shape[1...rank]),
      output: Array(output.shape[1...rank]), window: geometry.window, stride: geometry.stride,
      low: geometry.low)
  }
}

extension PlaneForm {
  fileprivate init(plane: TensorType, picked: TensorType) {
    let channels = plane.shape[plane.rank - 1]
    let places = plane.elementCount / plane.shape[0] / channels
    self.init(
      batch: plane.shape[0], places: places,
      count: picked.elementCount / plane.shape[0] / channels, channels: channels)
  }
}
