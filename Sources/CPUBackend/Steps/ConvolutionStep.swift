internal import COneDNN
internal import TensorIR

/// A convolution by oneDNN.
final class ConvolutionStep: Step {
  let reads: [Int]
  let writes: [Int]
  private let handle: PrimitiveHandle
  /// Storages of input, kernel and output.
  private let tensors: (Int, Int, Int)

  init(_ handle: PrimitiveHandle, _ form: ConvolutionForm, operands: [Int], result: Int) {
    self.handle = handle
    reads = operands
    writes = [result]
    tensors = form.tensors(operands, result)
  }

  var scratch: Int { handle.scratch }

  func bind(_ memory: Addresses) throws(BackendError) {
    // Safe: the arena holds each storage for as long as the program.
    try unsafe handle.bind(
      memory[tensors.0], memory[tensors.1], memory[tensors.2], scratch: memory.scratch)
  }

  func run() throws(BackendError) { try handle.run() }
}

/// A convolution as matrix products.
final class ProductConvolutionStep: Step {
  /// What the products are over.
  enum Method {
    case windows
    /// Windows, read where they are in the padded image.
    case direct
    /// Points of Winograd's F(4 × 4, 3 × 3); in Float.
    ///
    /// The kernel is transformed at every run: about a quarter of the time with 48 tiles, a twentieth
    /// with 512. Transforms kept from run to run would take four times the kernel's memory.
    case winograd
  }

  let reads: [Int]
  let writes: [Int]
  private let method: Method
  private let form: ConvolutionForm
  private let isDouble: Bool
  private let threads: Int
  private let tensors: (Int, Int, Int)
  private var addresses: Addresses?

  init(
    _ method: Method, _ form: ConvolutionForm, operands: [Int], result: Int, isDouble: Bool,
    threads: Int
  ) {
    self.method = method
    self.form = form
    self.isDouble = isDouble
    self.threads = threads
    reads = operands
    writes = [result]
    tensors = form.tensors(operands, result)
  }

  var scratch: Int {
    var shape = form.shape
    // Safe: the calls read the shape only.
    switch method {
    case .windows:
      return unsafe leak_window_convolution_scratch(
        &shape, form.kind, isDouble ? 1 : 0, Int32(threads))
    case .direct:
      return unsafe leak_direct_convolution_scratch(
        &shape, form.kind, isDouble ? 1 : 0, Int32(threads))
    case .winograd: return unsafe leak_winograd_scratch(&shape, form.kind)
    }
  }

  func bind(_ memory: Addresses) { addresses = memory }

  func run() {
    guard let addresses else { return }
    var shape = form.shape
    let (input, kernel, output) = unsafe (
      addresses[tensors.0], addresses[tensors.1], addresses[tensors.2]
    )
    // Safe: the arena holds each storage, and scratch was sized by the calls above.
    switch method {
    case .windows:
      unsafe leak_window_convolution_run(
        &shape, form.kind, isDouble ? 1 : 0, input, kernel, output, Int32(threads),
        addresses.scratch)
    case .direct:
      unsafe leak_direct_convolution_run(
        &shape, form.kind, isDouble ? 1 : 0, input, kernel, output, Int32(threads),
        addresses.scratch)
    case .winograd:
      unsafe leak_winograd_run(
        &shape, form.kind, input.assumingMemoryBound(to: Float.self),
        kernel.assumingMemoryBound(to: Float.self), output.assumingMemoryBound(to: Float.self),
        Int32(threads), addresses.scratch)
    }
  }
}

extension ConvolutionForm {
  /// Input, kernel and output, given the two that are read, in the primitive's order, and the third.
  fileprivate func tensors(_ operands: [Int], _ result: Int) -> (Int, Int, Int) {
    switch direction {
    case .forward: (operands[0], operands[1], result)
    case .inputGradient: (result, operands[1], operands[0])
    case .kernelGradient: (operands[0], result, operands[1])
    }
  }
}

/// A kernel's change of layout.
final class ReorderStep: Step {
  let reads: [Int]
  let writes: [Int]
  private let handle: PrimitiveHandle

  init(_ handle: PrimitiveHandle, from: Int, to: Int) {
    self.handle = handle
    reads = [from]
    writes = [to]
  }

  var scratch: Int { handle.scratch }

  func bind(_ memory: Addresses) throws(BackendError) {
    // Safe: the arena holds both storages for as long as the program.
    try unsafe handle.bind(memory[reads[0]], memory[writes[0]], nil, scratch: memory.scratch)
  }

  func run() throws(BackendError) { try handle.run() }
}
