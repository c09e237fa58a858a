/// Why a decomposition has no result.
package enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
  /// The matrix holds an infinity or something that is not a number.
  case notFinite(rows: Int, columns: Int)
  /// The iteration inside LAPACK did not converge.
  case notConverged(routine: String)
  /// There is no memory for the routine's work.
  case outOfMemory(routine: String)

  package var description: String {
    switch self {
    case .notFinite(let rows, let columns):
      "A \(rows) × \(columns) matrix holds infinities or NaN and cannot be decomposed."
    case .notConverged(let routine):
      "The iteration in LAPACK's \(routine) did not converge."
    case .outOfMemory(let routine):
      "There is not enough memory for LAPACK's \(routine)."
    }
  }

  /// What LAPACK's `info` says; a wrong argument is a mistake of this module.
  static func check(_ info: Int32, _ routine: String) throws(LinearAlgebraError) {
    guard info != 0 else { return }
    guard info > 0 || info == -1000 else {
      preconditionFailure("\(routine) was handed a wrong argument \(-info)")
    }
    throw info > 0 ? .notConverged(routine: routine) : .outOfMemory(routine: routine)
  }
}

extension DenseMatrix {
  func requireFinite() throws(LinearAlgebraError) {
    guard isFinite else { throw .notFinite(rows: rows, columns: columns) }
  }
}
