private import CLAPACK

/// How many threads a call of BLAS or LAPACK uses.
///
/// OpenBLAS has one number of threads for the whole process, and it rests at 1: a graph program
/// has threads of its own. A large product or factorisation raises it for its own duration, alone
/// among the calls of this module; small ones stay on the calling thread. Equal input and an equal
/// number of processors give equal bits.
package enum Threads {
  /// The processors that this process may run on.
  package static let processors = Int(leak_blas_processors())

  /// Under so many multiply-adds the calling thread is as fast alone.
  package static let smallWork = 4e6

  /// The threads for a call of about so many multiply-adds.
  static func count(for work: Double) -> Int32 {
    work < smallWork ? 1 : Int32(processors)
  }
}
