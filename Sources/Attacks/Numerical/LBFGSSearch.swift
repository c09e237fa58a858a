internal import AuditModel
internal import TensorIR

/// L-BFGS on one restart at a time; the length of a step is its own affair.
final class LBFGSSearch: RestartSearch {
  private let function: any MatchingObjective
  private var state = LBFGS(from: [0])

  init(_ function: any MatchingObjective) { self.function = function }

  func load(_ vectors: [String: [Double]]) {
    state = LBFGS(vectors) ?? LBFGS(from: vectors[RestartState.input] ?? [])
  }

  func step(rate: Double) throws(BackendError) -> Double? {
    let before = try objective()
    return try state.step(on: function) ? before : nil
  }

  func vectors() -> [String: [Double]] { state.vectors }

  func objective() throws(BackendError) -> Double {
    if let known = state.objective { return known }
    return try function.evaluate(at: state.point).objective
  }
}
