internal import AuditModel
internal import Networks
internal import Tensors

/// Whether gradient and weights store the axes of dense layers in the same order.
struct AxisOrderCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    let order = { (table: ParameterTable) in
      table.convention == .channelsLast ? "inputs × outputs" : "outputs × inputs"
    }
    let dense = observation.denseNodes
    guard !dense.isEmpty else { return [] }
    let gradient = order(observation.gradient)
    let isSquare = dense.allSatisfy { node in
      observation.gradient.matrix(node).map { $0.inputs == $0.outputs } ?? true
    }
    let weights =
      observation.weights.tensors.isEmpty ? gradient : order(observation.weights)
    return [
      PreflightCheck(
        artifact: "", check: "axis order of dense gradients",
        status: isSquare || weights != gradient ? .warning : .ok,
        value: weights == gradient ? gradient : "gradient \(gradient), weights \(weights)",
        explanation: isSquare
          ? "All dense layers are square, so shapes cannot confirm the order; it is the one of the "
            + "file's format."
          : weights != gradient
            ? "The gradient is stored transposed against the weights (another framework?); it is "
              + "read in its own order." : nil)
    ]
  }
}
