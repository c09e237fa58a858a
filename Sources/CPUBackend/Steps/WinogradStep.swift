internal import COneDNN
internal import TensorIR

/// A convolution in Float by Winograd's F(4 × 4, 3 × 3).
///
/// Its kernel is plain and transformed at every run: about a quarter of the time with 48 tiles, a
/// twentieth with 512. Transforms kept from run to run would take four times the kernel's memory.
final class WinogradStep: Step {
  let reads: [Int]
  let writes: [Int]
  private let form: ConvolutionForm
  private let threads: Int
  private let tensors: (Int, Int, Int)
  private var addresses: Addresses?

  init(_ form: ConvolutionForm, operands: [Int], result: Int, threads: Int) {
    self.form = form
    self.threads = threads
    reads = operands
    writes = [result]
    tensors = form.tensors(operands, result)
  }

  var scratch: Int {
    var shape = form.shape
    // Safe: the call reads the shape only.
    return unsafe leak_winograd_scratch(&shape, form.kind)
  }

  func bind(_ memory: Addresses) { addresses = memory }

  func run() {
    guard let addresses else { return }
    var shape = form.shape
    // Safe: the arena holds each storage, and scratch was sized by the call above.
    unsafe leak_winograd_run(
      &shape, form.kind, addresses[tensors.0].assumingMemoryBound(to: Float.self),
      addresses[tensors.1].assumingMemoryBound(to: Float.self),
      addresses[tensors.2].assumingMemoryBound(to: Float.self), Int32(threads), addresses.scratch)
  }
}
