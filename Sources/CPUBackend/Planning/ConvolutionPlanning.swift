internal import COneDNN
internal import TensorIR

extension Planner {
  /// Plans a convolution: in Float by Winograd's transforms where they pay, else directly where that is
  /// fast, else in Float by oneDNN where it has a fast implementation, else by products over windows.
  mutating func planConvolution(
    _ form: ConvolutionForm, _ operands: [Int], _ index: Int
  ) throws(BackendError) {
    let isConstant = items[index].isConstant
    let transformed = winograd(form)
    if transformed == nil, !isDouble, form.isFasterByWinograd {
      return try planProducts(.winograd, form, operands, index)
    }
    if transformed == nil, form.isFasterDirectly(isDouble: isDouble) {
      return try planProducts(.direct, form, operands, index)
    }
    if transformed == nil, let step = try convolutionInPlace(form, operands, index) {
      return append(step, isConstant: isConstant)
    }
    guard let handle = transformed ?? primitive(form) else {
      return try planProducts(.windows, form, operands, index)
    }
    let format = KernelFormat(
      blocked: try handle.kernelLayout(), plain: try KernelLayout.plain(form.shape))
    let blocked = format.blocked == format.plain ? nil : format
    let isGradient = form.direction == .kernelGradient
    let sources = [
      try storage(of: operands[0], in: nil),
      try storage(of: operands[1], in: isGradient ? nil : blocked),
    ]
    let result = place(index, format: isGradient ? blocked : nil)
    append(
      ConvolutionStep(handle, form, operands: sources, result: result), isConstant: isConstant)
  }

  /// Plans a convolution as matrix products, which read plain kernels.
  private mutating func planProducts(
    _ method: ProductConvolutionStep.Method, _ form: ConvolutionForm, _ operands: [Int],
    _ index: Int
  ) throws(BackendError) {
    var sources: [Int] = []
    for operand in operands { sources.append(try storage(of: operand, in: nil)) }
    let step = ProductConvolutionStep(
      method, form, operands: sources, result: place(index), isDouble: isDouble, threads: threads)
    append(step, isConstant: items[index].isConstant)
  }

  /// A forward convolution by a kernel that was computed, in the layout it was computed in: that
  /// saves a change of layout, if oneDNN has a fast implementation for it.
  private mutating func convolutionInPlace(
    _ form: ConvolutionForm, _ operands: [Int], _ index: Int
  ) throws(BackendError) -> ConvolutionStep? {
    guard !isDouble, form.direction == .forward, !items[operands[1]].isConstant,
      let kernel = places[operands[1]].first, let format = kernel.format,
      let handle = try? PrimitiveHandle(form, kernel: format.blocked),
      handle.name.hasPrefix("jit") || handle.name.hasPrefix("brg")
    else { return nil }
    let sources = [try storage(of: operands[0], in: nil), kernel.storage]
    return ConvolutionStep(handle, form, operands: sources, result: place(index))
  }

  /// oneDNN's Winograd transforms where it has them, which is with AVX-512, and where they pay: on
  /// large maps with many channels.
  ///
  /// Measured with oneDNN 2.6 on two cores with AVX-512, they run at 1.4 to 2 times the rate of the
  /// direct form on maps of 28 × 28 and more, and below it on 16 × 16 and less.
  private func winograd(_ form: ConvolutionForm) -> PrimitiveHandle? {
    let shape = form.shape
    let extents = [shape.output.0, shape.output.1]
    guard !isDouble, shape.axes == 2, shape.groups == 1,
      extents.allSatisfy({ $0 >= 28 }), min(shape.inputs, shape.outputs) >= 64,
      (shape.kernel.0, shape.kernel.1) == (3, 3)
    else { return nil }
    return try? PrimitiveHandle(winograd: form)
  }

  /// oneDNN's primitive, unless windows are faster.
  ///
  /// For few input channels oneDNN fills only as many lanes: the gradient in the picture of a
  /// 7 × 7 convolution runs at 45 GFLOP/s, as products and sums over windows at twice that.
  private func primitive(_ form: ConvolutionForm) -> PrimitiveHandle? {
    let shape = form.shape
    guard !isDouble, form.direction != .inputGradient || shape.inputs > 4 || shape.groups > 1,
      let handle = try? PrimitiveHandle(form), !handle.name.hasPrefix("ref")
    else { return nil }
    return handle
  }

  /// The layout in which a whole pass may run: that of a kernel it reads, if all that it reads at
  /// the same place has the same extents, and what fills the layout up stays zero.
  func layout(of group: Grouping.Group) -> KernelFormat? {
    guard !isDouble, group.space == nil else { return nil }
    var found: KernelFormat?
    var shape: [Int]?
    for member in group.members {
      if case .element = items[member].form {
        guard shape == nil || shape == items[member].shape else { return nil }
        shape = items[member].shape
      }
      for operand in items[member].passOperands {
        switch operand {
        case .load, .coordinates: return nil
        case .scalar: break
        case .flat(let item):
          guard shape == nil || shape == items[item].shape else { return nil }
          shape = items[item].shape
          if found == nil, !items[item].isConstant { found = places[item].first?.format }
        }
      }
    }
    guard let found, !found.blocked.isPadded || keepsZeros(group) else { return nil }
    return found
  }

  /// Whether results are zero where all whole operands are.
  private func keepsZeros(_ group: Grouping.Group) -> Bool {
    var isZero: [Int: Bool] = [:]
    for member in group.members {
      switch items[member].form {
      case .element(let operation, let operands):
        let zeros = operands.map { operand in
          guard case .flat(let item) = operand else { return false }
          return isZero[item] ?? true
        }
        isZero[member] = operation.keepsZero(zeros)
        if isStoredOutside(member), isZero[member] == false { return false }
      case .fold(let fold, let operand):
        if fold.isMaximum { return false }
        if case .flat(let item) = operand, isZero[item] == false { return false }
      default: return false
      }
    }
    return true
  }
}

extension leak_operation {
  /// Whether the result is zero where the operands marked are.
  fileprivate func keepsZero(_ zeros: [Bool]) -> Bool {
    switch self {
    case leak_copy, leak_negate, leak_abs, leak_sign, leak_expm1, leak_log1p, leak_tanh, leak_sqrt,
      leak_erf:
      zeros[0]
    case leak_add, leak_subtract, leak_maximum, leak_minimum: zeros[0] && zeros[1]
    case leak_multiply: zeros[0] || zeros[1]
    // A quotient of zeros is not a number.
    case leak_divide: zeros[0] && !zeros[1]
    case leak_select: zeros[1] && zeros[2]
    default: false
    }
  }
}
