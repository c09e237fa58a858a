internal import AuditModel
internal import Networks
internal import Tensors

/// Whether batch normalisation was in training mode, judged by the bias gradient in front of it.
struct NormalizationModeCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    let network = observation.network
    return network.nodes.indices.compactMap { node in
      guard network.nodes[node].layer is BatchNormalization,
        case .node(let before)? = network.nodes[node].sources.first,
        network.nodes[before].layer is Dense,
        let bias = observation.gradient.bias(before),
        let weight = observation.gradient.matrix(before)
      else { return nil }
      let matrix = weight.tensor.summary().norm
      guard matrix > 0, matrix.isFinite else { return nil }
      let level = RoundingLevel(observation, before, matrix: weight, norm: matrix)
      let isTraining = level.isBiasNoise(bias: bias.norm, matrix: matrix)
      return PreflightCheck(
        artifact: "", check: "batch-normalisation mode of '\(network.nodes[node].name)'",
        status: isTraining ? .warning : .ok,
        value: "‖b̄‖ / ‖W̄‖ of '\(network.nodes[before].name)' is "
          + "\((bias.norm / matrix).displayed): \(isTraining ? "training" : "inference") mode",
        explanation: isTraining
          ? "In training mode the bias gradient in front of batch normalisation sums to zero; "
            + "recoveries that divide by it are not attempted." : nil)
    }
  }
}
