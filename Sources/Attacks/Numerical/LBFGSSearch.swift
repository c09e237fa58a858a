internal import AuditModel
internal import TensorIR

/// L-BFGS on one restart at a time; the length of a step is its own affair.
final class LBFGSSearch: RestartSearch {
  private let function: any MatchingObjective
  private let preconditioner: PicturePreconditioner?
  private var state = LBFGS(from: [0])

  init(_ function: any MatchingObjective, preconditioner: PicturePreconditioner? = nil) {
    self.function = function
    self.preconditioner = preconditioner
  }

  func load(_ vectors: [String: [Double]]) {
    // With a preconditioner fewer pairs do, and cost less.
    let limit = preconditioner == nil ? 100 : 30
    state =
      LBFGS(vectors, historyLimit: limit)
      ?? LBFGS(from: vectors[RestartState.input] ?? [], historyLimit: limit)
  }

  func step(rate: Double) throws(BackendError) -> Double? {
    let before = try objective()
    return try state.step(on: function, preconditioner: preconditioner) ? before : nil
  }

  func vectors() -> [String: [Double]] { state.vectors }

  func objective() throws(BackendError) -> Double {
    if let known = state.objective { return known }
    return try function.evaluate(at: state.point).objective
  }
}
