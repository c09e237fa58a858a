internal import AuditModel

/// The part of the report's schema that describes chains.
extension JSONReportSchema {
  static var chain: JSONValue {
    record(
      "How far down a network the closed forms go, from the output to the input.",
      [
        "artifact": string("The file that holds the network."),
        "source": string("The gradient it was read from, or that there was none."),
        "steps": list(step, "One entry per map, from the output down."),
        "reachesInput": flag("Whether the model input itself is determined."),
        "stop": optional(string("Why and where it ended, if not at the input.")),
        "jointSolve": optional(string("What solving all equations at once did further down.")),
        "withheld": optional(
          record(
            "An estimate of the model input under noise that is not claimed.",
            [
              "predictedError": number(
                "Predicted root-mean-square error per input value, in input units."),
              "quality": optional(quality),
            ])),
        "rankTolerance": number(
          "Singular values below this share of the largest count as zero in `rank`."),
      ])
  }

  private static var step: JSONValue {
    record(
      "One map of the network: what a layer receives. Measured numbers have three digits.",
      [
        "layer": string("The layer that the map enters; the first of them if several read it."),
        "kind": string("That layer's kind."),
        "route": string("How the map was found."),
        "unknowns": integer("Number of entries of the map.", minimum: 0),
        "forwardEquations": integer("Equations from values known further up.", minimum: 0),
        "gradientEquations": integer("Equations from weight gradients.", minimum: 0),
        "rank": optional(integer("Independent equations; null if only counted.", minimum: 0)),
        "amplification": optional(
          number("Relative error of the map per relative error of the gradient.")),
        "residual": optional(
          number("Relative misfit of the gradient equations; null without a gradient.")),
        "relativeError": optional(
          number("Predicted root-mean-square error over the root mean square of the map.")),
        "outcome": words(ChainSummary.Outcome.self, "What became of the map."),
        "note": string("What else there is to know; may be empty."),
      ])
  }
}
