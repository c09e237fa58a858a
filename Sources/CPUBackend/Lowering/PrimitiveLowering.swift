internal import COneDNN
internal import TensorIR

extension Lowering {
  /// Lowers a primitive that is not element-wise.
  mutating func lower(
    _ primitive: any Primitive, _ operands: [Value], _ index: Int
  ) throws(BackendError) {
    let type = graph.nodes[index].type
    switch primitive {
    case is Reshape: lowerReshape(operands[0], type, index)
    case is Convert, is StopGradient: define(index, as: self[operands[0]])
    case let transpose as Transpose:
      let view = self[operands[0]]
      define(
        index, as: View(item: view.item, access: view.access.permuted(transpose.permutation)))
    case let slice as Slice:
      let view = self[operands[0]]
      let access = view.access.sliced(
        starts: slice.starts, steps: slice.strides, extents: type.shape)
      define(index, as: View(item: view.item, access: access))
    case let broadcast as BroadcastInDim:
      let view = self[operands[0]]
      let access = view.access.broadcast(to: broadcast.shape, axes: broadcast.axes)
      define(index, as: View(item: view.item, access: access))
    case let iota as Iota:
      var access = Access(extents: type.shape, strides: type.shape.map { _ in 0 })
      access.strides[iota.axis] = 1
      define(index, .element(leak_copy, [.coordinates(access.collapsed)]))
    case let offset as OffsetRows:
      var access = Access(extents: type.shape, strides: type.shape.map { _ in 0 })
      access.strides[0] = offset.rows
      let count = type.elementCount
      define(
        index,
        .element(
          leak_add, [operand(self[operands[0]], count), .coordinates(access.collapsed)]))
    case let reduce as Reduce: lowerReduce(reduce, operands[0], index)
    case let dot as DotGeneral: lowerProduct(dot, operands, index)
    case let convolution as Convolution:
      define(
        .forward, convolution.geometry, index, operands, input: operands[0].type,
        kernel: operands[1].type, output: type)
    case let convolution as ConvolutionInputTranspose:
      define(
        .inputGradient, convolution.geometry, index, operands, input: type,
        kernel: operands[1].type, output: operands[0].type)
    case let convolution as ConvolutionKernelTranspose:
      define(
        .kernelGradient, convolution.geometry, index, operands, input: operands[0].type,
        kernel: type, output: operands[1].type)
    case let pad as Pad: lowerPad(pad, operands[0], index)
    case let concatenate as Concatenate: lowerConcatenate(concatenate, operands, index)
    case is Gather:
      let rows = operands[0].type.shape[0]
      let width = operands[0].type.elementCount / rows
      define(index, .gatherRows(rows: rows, width: width), operands)
    case let scatter as Scatter:
      let width = type.elementCount / scatter.rows
      define(index, .scatterRows(rows: scatter.rows, width: width), operands)
    default: try lowerWindow(primitive, operands, index)
    }
  }

  /// Makes node `index` a step of its own over dense operands.
  mutating func define(_ index: Int, _ opaque: Opaque, _ operands: [Value]) {
    let items = operands.map { dense(self[$0]) }
    define(index, .opaque(opaque, items))
  }

  private mutating func define(
    _ direction: ConvolutionForm.Direction, _ geometry: ConvolutionGeometry, _ index: Int,
    _ operands: [Value], input: TensorType, kernel: TensorType, output: TensorType
  ) {
    let form = ConvolutionForm(
      direction, geometry, input: input.shape, kernel: kernel.shape, output: output.shape)
    define(index, .convolution(form), operands)
  }

  private mutating func lowerReshape(_ operand: Value, _ type: TensorType, _ index: Int) {
    let view = self[operand]
    if let access = view.access.reshaped(to: type.shape) {
      define(index, as: View(item: view.item, access: access))
    } else {
      define(index, as: View(item: dense(view), access: Access(dense: type.shape)))
    }
  }

  private mutating func lowerReduce(_ reduce: Reduce, _ operand: Value, _ index: Int) {
    var view = self[operand]
    let isMaximum = reduce.operation == .maximum
    var kept = reduce.kept(operand.type)
    if foldSpace(operand.type.shape, reduced: reduce.axes) == nil {
      // The reduced axes are scattered: read them last.
      view.access = view.access.permuted(kept + reduce.axes)
      kept = Array(kept.indices)
    }
    let shape = view.access.extents
    let reduced = shape.indices.filter { !kept.contains($0) }
    guard let (kind, space) = foldSpace(shape, reduced: reduced) else {
      preconditionFailure("kept axes first fold by rows")
    }
    let fold = Fold(kind: kind, isMaximum: isMaximum, space: space)
    switch self.operand(view, space.count) {
    case .flat(let item): define(index, .fold(fold, .flat(item)))
    case let operand:
      let copy = append(.element(leak_copy, [operand]), shape)
      define(index, .fold(fold, .flat(copy)))
    }
  }

  /// The space in which folding `reduced` axes of a row-major tensor is folding all, rows or
  /// columns; `nil` if there is none.
  private func foldSpace(_ shape: [Int], reduced: [Int]) -> (Fold.Kind, Space)? {
    var runs: [(isReduced: Bool, extent: Int)] = []
    for (axis, extent) in shape.enumerated() where extent != 1 {
      let isReduced = reduced.contains(axis)
      if let last = runs.last, last.isReduced == isReduced {
        runs[runs.count - 1].extent *= extent
      } else {
        runs.append((isReduced, extent))
      }
    }
    let extents = runs.map(\.extent)
    switch runs.map(\.isReduced) {
    case []: return (.all, Space(groups: 1, rows: 1, columns: 1))
    case [true]: return (.all, Space(groups: 1, rows: 1, columns: extents[0]))
    case [false]: return (.rows, Space(groups: 1, rows: extents[0], columns: 1))
    case [false, true]: return (.rows, Space(groups: 1, rows: extents[0], columns: extents[1]))
    case [true, false]: return (.columns, Space(groups: 1, rows: extents[0], columns: extents[1]))
    case [false, true, false]:
      return (.columns, Space(groups: extents[0], rows: extents[1], columns: extents[2]))
    default: return nil
    }
  }

  private mutating func lowerPad(_ pad: Pad, _ operand: Value, _ index: Int) {
    let view = self[operand]
    let whole = Access(dense: graph.nodes[index].type.shape)
    let target = whole.sliced(
      starts: pad.low, steps: pad.interior.map { $0 + 1 }, extents: operand.type.shape)
    define(
      index,
      .opaque(.assembly([Placement(operand: 0, from: view.access, to: target)]), [view.item]))
  }

  private mutating func lowerConcatenate(
    _ concatenate: Concatenate, _ operands: [Value], _ index: Int
  ) {
    let whole = Access(dense: graph.nodes[index].type.shape)
    var start = whole.extents.map { _ in 0 }
    var placements: [Placement] = []
    for (number, operand) in operands.enumerated() {
      let target = whole.sliced(
        starts: start, steps: start.map { _ in 1 }, extents: operand.type.shape)
      placements.append(Placement(operand: number, from: self[operand].access, to: target))
      start[concatenate.axis] += operand.type.shape[concatenate.axis]
    }
    define(index, .opaque(.assembly(placements), operands.map { self[$0].item }))
  }
}
