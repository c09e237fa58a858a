internal import TensorIR

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// One block of zeros, aligned to pages.
///
/// Pages come into being when they are first written, so what binding parameters takes for a moment
/// and what running takes for good are not there at once.
@safe final class Memory {
  let bytes: Int
  private let start: UnsafeMutableRawPointer

  /// - Throws: If there is not so much memory.
  init(bytes: Int) throws(BackendError) {
    self.bytes = max(bytes, Arena.alignment)
    // Safe: a new private mapping; failure is checked below.
    let block = unsafe mmap(
      nil, self.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block = unsafe block, unsafe block != MAP_FAILED else {
      throw BackendError("\(bytes) bytes of memory are not there")
    }
    unsafe start = block
  }

  deinit {
    // Safe: the mapping was made by init, and this is its only owner.
    _ = unsafe munmap(start, bytes)
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
