internal import AuditModel

/// The part of the JSON report that holds chains; `ChainSchema.swift` describes it.
extension ChainSummary {
  var json: JSONValue {
    .object([
      "artifact": .string(artifact),
      "source": .string(source),
      "steps": .array(steps.map(\.json)),
      "reachesInput": .bool(reachesInput),
      "stop": JSONValue(stop),
      "jointSolve": JSONValue(jointSolve),
      "withheld": withheld.map {
        .object([
          "predictedError": .number($0.predictedError), "quality": $0.quality?.json ?? .null,
        ])
      } ?? .null,
      "rankTolerance": .number(rankTolerance),
    ])
  }
}

extension ChainSummary.Step {
  fileprivate var json: JSONValue {
    .object([
      "layer": .string(layer),
      "kind": .string(kind),
      "route": .string(route),
      "unknowns": .integer(unknowns),
      "forwardEquations": .integer(forwardEquations),
      "gradientEquations": .integer(gradientEquations),
      "rank": JSONValue(rank),
      "amplification": JSONValue(amplification, digits: 3),
      "residual": JSONValue(residual, digits: 3),
      "relativeError": JSONValue(relativeError, digits: 3),
      "outcome": .string(outcome.rawValue),
      "note": .string(note),
    ])
  }
}
