internal import TensorIR

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// One aligned block of zeros.
@safe final class Memory {
  let bytes: Int
  private let start: UnsafeMutableRawPointer

  /// - Throws: If there is not so much memory.
  init(bytes: Int) throws(BackendError) {
    self.bytes = max(bytes, Arena.alignment)
    var block: UnsafeMutableRawPointer?
    // Safe: posix_memalign writes the pointer or reports that it did not.
    guard unsafe posix_memalign(&block, 4096, self.bytes) == 0, let block = unsafe block else {
      throw BackendError("\(bytes) bytes of memory are not there")
    }
    // Safe: the block has `bytes` bytes.
    unsafe memset(block, 0, self.bytes)
    unsafe start = block
  }

  deinit {
    // Safe: the block came from posix_memalign, and this is its only owner.
    unsafe free(start)
  }

  /// The address of a byte of the block.
  ///
  /// - Precondition: `offset` lies in the block.
  func address(_ offset: Int) -> UnsafeMutableRawPointer {
    precondition(offset >= 0 && offset <= bytes, "outside the memory of the plan")
    // Safe: checked above.
    return unsafe start + offset
  }
}
