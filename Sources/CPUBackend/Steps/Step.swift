internal import TensorIR

/// One thing that a program does, bound to its memory when the plan is made.
protocol Step: AnyObject {
  /// Storages that it reads and writes.
  var reads: [Int] { get }
  var writes: [Int] { get }
  /// Bytes of working memory, shared with all other steps.
  var scratch: Int { get }

  /// Fixes the addresses of all runs.
  func bind(_ memory: Addresses) throws(BackendError)

  func run() throws(BackendError)
}

/// Where the storages of a plan lie.
struct Addresses {
  let memory: Memory
  let arena: Arena
  /// The storage that each storage shares memory with.
  let home: [Int]
  /// Memory of inputs that the arena has no room for.
  var staging: [Int: Memory] = [:]

  subscript(storage: Int) -> UnsafeMutableRawPointer {
    if let staged = staging[storage] { return unsafe staged.address(0) }
    return unsafe memory.address(arena.offsets[home[storage]])
  }

  var scratch: UnsafeMutableRawPointer { unsafe memory.address(arena.scratch) }
}
