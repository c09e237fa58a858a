internal import AuditModel
internal import Networks
internal import Tensors

/// NaN, infinities and exact zeros in the observed gradient and in the weights.
struct NumbersCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    line("gradient", observation.gradient, zerosMatter: true)
      + line("weights", observation.weights, zerosMatter: false)
  }

  private func line(
    _ name: String, _ table: ParameterTable, zerosMatter: Bool
  ) -> [PreflightCheck] {
    let summaries = table.keys.compactMap { table[$0.node, $0.role]?.summary() }
    guard !summaries.isEmpty else { return [] }
    let count = summaries.reduce(0) { $0 + $1.count }
    let nan = summaries.reduce(0) { $0 + $1.nanCount }
    let infinite = summaries.reduce(0) { $0 + $1.infinityCount }
    let zero = summaries.reduce(0) { $0 + $1.zeroCount }
    let isEmpty = zerosMatter && zero == count
    let norm = summaries.map(\.norm).norm
    return [
      PreflightCheck(
        artifact: "", check: "\(name): finite and not all zero",
        status: nan + infinite > 0 || isEmpty ? .mismatch : .ok,
        value: "\(nan) NaN, \(infinite) infinite, \(zero) zero of \(count) values; norm "
          + norm.displayed,
        explanation: nan + infinite > 0
          ? "A diverged step, an overflow in half precision, or a damaged file; layers with such "
            + "values are inconclusive."
          : isEmpty ? "The gradient was cleared before it was written; nothing can be judged." : nil
      )
    ]
  }
}
