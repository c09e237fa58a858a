internal import AuditModel

/// The part of the report's schema that describes inversions and how recoveries are measured.
extension JSONReportSchema {
  static var inversion: JSONValue {
    record(
      "One numerical attack on one source.",
      [
        "artifact": string("The file that holds the network."),
        "source": string("The gradient or update that was inverted."),
        "attack": words(InversionSettings.Attack.self, "The preset."),
        "start": string("What it started from."),
        "settings": list(
          record(
            "A named value.",
            ["name": string("What was set."), "value": string("To what.")]),
          "Every setting, in words."),
        "samples": integer("Samples that were sought at once.", minimum: 0),
        "restarts": list(restart, "The searches, each from a start of its own."),
        "iterations": integer("Steps of all restarts.", minimum: 0),
        "objective": optional(number("What was minimised, at the point that counts.")),
        "gradientMatch": optional(
          number("Relative error of the simulated gradient at that point, dimensionless.")),
        "curve": list(
          .object([
            "type": .string("array"),
            "items": optional(number("Steps taken before, then the objective.")),
            "minItems": .integer(2),
            "maxItems": .integer(2),
          ]), "The objective of the best restart, at most 201 points."),
        "stop": string("Why it ended."),
        "spread": optional(
          number("How far independent restarts ended from one another; null with one restart.")),
        "seconds": optional(number("Wall time; null unless it was asked for.")),
        "quality": optional(quality),
      ])
  }

  private static var restart: JSONValue {
    record(
      "One search.",
      [
        "index": integer("Counted from 0; with the seed it tells the start.", minimum: 0),
        "iterations": integer("Steps taken.", minimum: 0),
        "objective": optional(number("What was minimised, at its last point.")),
        "isAbandoned": flag("Whether it was given up because others were ahead."),
      ])
  }

  static var quality: JSONValue {
    record(
      "How the recovery compares with a supplied truth.",
      [
        "meanSquaredError": list(
          optional(number("Squared input units.")), "One number per matched sample."),
        "psnr": list(
          optional(number("Decibels; null if infinite, which means equal.")),
          "One number per matched sample."),
        "greyPSNR": optional(
          number("Decibels of the middle of `valueRange` everywhere, mean over the samples.")),
        "meanImagePSNR": optional(
          number("Decibels of a picture of the true mean colour; null if there are no pictures.")),
        "structuralSimilarity": optional(
          list(
            optional(number("1 for equal pictures.")),
            "One number per matched sample; null without pictures of at least 11 × 11 pixels.")),
        "featureDistance": optional(
          list(
            optional(number("Squared distance of the features that enter the classifier.")),
            "One number per matched sample; null if they were not computed.")),
        "identified": optional(
          integer(
            "Samples nearer to their true sample than to any other; null with a single true sample.",
            minimum: 0)),
        "valueRange": list(
          number("The least or the largest value."),
          "What PSNR clamps to: 0 and 1 if they enclose the truth, otherwise its own range."),
        "labelsCorrect": optional(integer("Samples with the right label.", minimum: 0)),
      ])
  }
}
