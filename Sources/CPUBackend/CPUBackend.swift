internal import COneDNN
public import TensorIR

/// Runs graphs on this machine's processor: `Float` through oneDNN, `Double` through BLAS.
///
/// A program is planned once for a number of threads: which operations share a pass, which layouts
/// kernels have, and where everything lies in one block of memory. Running it allocates nothing but
/// what oneDNN asks for and gives back in each call, a handful of small tables, and equal inputs give
/// equal bits at an equal number of threads.
public struct CPUBackend: Backend {
  /// How many threads a program uses.
  ///
  /// Several programs on threads of their own run side by side best with one each.
  public let threads: Int

  /// - Precondition: There is at least one thread.
  public init(threads: Int) {
    precondition(threads > 0, "a program needs a thread")
    self.threads = threads
  }

  public func compile(_ graph: Graph, in precision: Precision) throws(BackendError) -> CPUProgram {
    // Plans depend on the number of threads, oneDNN's included.
    leak_set_threads(Int32(threads))
    return try CPUProgram(graph, isDouble: precision == .double, threads: threads)
  }
}
