internal import AuditModel

/// The part of the JSON report that holds inversions; `InversionSchema.swift` describes it.
extension InversionSummary {
  var json: JSONValue {
    .object([
      "artifact": .string(artifact),
      "source": .string(source),
      "attack": .string(attack.rawValue),
      "start": .string(start),
      "settings": .array(
        settings.map { .object(["name": .string($0.name), "value": .string($0.value)]) }),
      "samples": .integer(samples),
      "restarts": .array(restarts.map(\.json)),
      "iterations": .integer(iterations),
      "objective": .number(objective),
      "gradientMatch": .number(gradientMatch),
      "curve": .array(
        curve.map { .array([.integer($0.iteration), .number($0.objective)]) }),
      "stop": .string(stop),
      "spread": JSONValue(spread),
      "seconds": JSONValue(seconds),
      "quality": quality?.json ?? .null,
    ])
  }
}

extension InversionSummary.Restart {
  fileprivate var json: JSONValue {
    .object([
      "index": .integer(index),
      "iterations": .integer(iterations),
      "objective": .number(objective),
      "isAbandoned": .bool(isAbandoned),
    ])
  }
}

extension RecoverySummary.Quality {
  var json: JSONValue {
    .object([
      "meanSquaredError": .array(meanSquaredError.map { .number($0) }),
      "psnr": .array(psnr.map { .number($0) }),
      "greyPSNR": .number(greyPSNR),
      "meanImagePSNR": JSONValue(meanImagePSNR),
      "structuralSimilarity": JSONValue(structuralSimilarity),
      "featureDistance": JSONValue(featureDistance),
      "identified": JSONValue(identified),
      "valueRange": .array([.number(valueRange.lowerBound), .number(valueRange.upperBound)]),
      "labelsCorrect": JSONValue(labelsCorrect),
    ])
  }
}
