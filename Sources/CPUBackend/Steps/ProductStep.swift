internal import COneDNN
internal import TensorIR

/// A matrix product.
final class ProductStep: Step {
  let reads: [Int]
  let writes: [Int]
  private let product: leak_product
  private let threads: Int
  private var addresses: Addresses?

  init(_ form: ProductForm, operands: [Int], result: Int, isDouble: Bool, threads: Int) {
    reads = operands
    writes = [result]
    self.threads = threads
    product = leak_product(
      batch: Int64(form.batch), rows: Int64(form.rows), inner: Int64(form.inner),
      columns: Int64(form.columns), left_stride: Int64(form.rows * form.inner),
      right_stride: Int64(form.inner * form.columns),
      result_stride: Int64(form.rows * form.columns),
      left_transposed: form.isLeftTransposed ? 1 : 0,
      right_transposed: form.isRightTransposed ? 1 : 0, is_double: isDouble ? 1 : 0)
  }

  var scratch: Int {
    var product = product
    // Safe: the call reads the numbers only.
    return unsafe leak_product_scratch(&product, Int32(threads))
  }

  func bind(_ memory: Addresses) { addresses = memory }

  func run() {
    guard let addresses else { return }
    var product = product
    // Safe: the arena holds each storage, and scratch was sized by the call above.
    unsafe leak_product_run(
      &product, addresses[reads[0]], addresses[reads[1]], addresses[writes[0]], Int32(threads),
      addresses.scratch)
  }
}
