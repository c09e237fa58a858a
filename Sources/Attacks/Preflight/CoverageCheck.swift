internal import AuditModel
internal import Networks

/// Whether every layer with parameters has a gradient.
struct CoverageCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    let network = observation.network
    let expected = network.nodes.indices.filter { node in
      observation.weights.count(node) > 0
        || !network.nodes[node].layer.parameters(input: network.nodes[node].inputShape ?? [])
          .isEmpty
    }
    let missing = expected.filter { observation.gradient.count($0) == 0 }
    let names = missing.prefix(5).map { "'\(network.nodes[$0].name)'" }.joined(separator: ", ")
    return [
      PreflightCheck(
        artifact: "", check: "every layer with parameters has a gradient",
        status: missing.isEmpty ? .ok : .warning,
        value: "\(expected.count - missing.count) of \(expected.count) layers",
        explanation: missing.isEmpty
          ? nil
          : "Nothing was observed of \(names)\(missing.count > 5 ? " and others" : ""): frozen "
            + "layers, a partial export, or a gradient of another model.")
    ]
  }
}
