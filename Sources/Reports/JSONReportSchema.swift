internal import AuditModel

/// The JSON Schema (draft 2020-12) of ``JSONReport``, for readers of the report.
///
/// Closed on purpose: an unknown key or a missing one is an error, and the words of an enumeration
/// come from the values themselves.
package enum JSONReportSchema {
  /// The schema as text, the same for every report of ``AuditReport/currentSchemaVersion``.
  package static var text: String { value.text }

  static var value: JSONValue {
    guard
      case .object(var schema) = record(
        "The outcome of one audit of a neural network's files.",
        [
          "schemaVersion": .object([
            "const": .string(AuditReport.currentSchemaVersion),
            "description": .string("Changes whenever a field changes its meaning or one is added."),
          ]),
          "toolVersion": string("The version of leakaudit."),
          "command": list(string("One argument."), "The command line with displayed paths."),
          "verdict": string("One sentence."),
          "exitCode": integer("The exit code of the run.", minimum: 0),
          "attackerGets": list(string("One sentence."), "What an attacker gets, in plain words."),
          "findings": list(
            finding, "What counts, sorted by evidence, severity, place and name."),
          "layers": list(layer, "One entry per layer, in the order of the network."),
          "recoveries": list(recovery, "What was recovered from the files."),
          "chains": list(chain, "How far down the network closed forms go, one per source."),
          "inversions": list(inversion, "The numerical attacks that ran, in their order."),
          "labels": optional(labels),
          "preflight": list(preflight, "Checks of the assumptions that the audit rests on."),
          "skipped": list(skipped, "What was not looked at; never to be read as safe."),
          "inputs": list(input, "The files that were read or could not be."),
          "policy": policy,
        ])
    else { preconditionFailure("a record is an object") }
    schema["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
    schema["$id"] = .string("urn:leakaudit:report:\(AuditReport.currentSchemaVersion)")
    schema["title"] = .string("leakaudit report")
    return .object(schema)
  }

  static var finding: JSONValue {
    record(
      "One statement about an audited file.",
      [
        "id": string("The rule or attack that speaks; stable across releases."),
        "severity": words(
          Severity.self, "How much the finding matters for data of the declared sensitivity."),
        "statedSeverity": words(Severity.self, "How much it matters for personal data."),
        "evidence": words(Evidence.self, "What the finding rests on, strongest first."),
        "recoverability": words(Recoverability.self, "What can be read back."),
        "access": words(Access.self, "What an attacker needs."),
        "fingerprint": string("The same in every run that finds the same; hexadecimal."),
        "artifact": string("The file the statement is about."),
        "layer": optional(string("The layer, if the statement is about one.")),
        "message": string("What leaks, with numbers and units."),
        "formula": optional(string("The relation that carries the attack.")),
        "measurements": list(
          record(
            "A named number.",
            ["name": string("What was measured."), "value": string("The number with its unit.")]),
          "The numbers that support the finding."),
        "preconditions": list(string("One sentence."), "What must hold for the statement."),
        "remedy": string("What to change."),
        "remedyEffect": optional(string("What the remedy is expected to achieve.")),
        "citations": list(citation, "Where the claim comes from."),
      ])
  }

  private static var citation: JSONValue {
    record(
      "Where a claim comes from.",
      [
        "authors": string("The authors."),
        "title": string("The title."),
        "venue": string("Where and when it was published."),
        "locator": string("The theorem, equation or section that carries the claim."),
      ])
  }

  private static var layer: JSONValue {
    record(
      "One layer.",
      [
        "artifact": string("The file that holds the layer."),
        "name": string("The layer's name, as stored in the file."),
        "kind": string("The layer's kind."),
        "parameters": integer("Number of stored values.", minimum: 0),
        "leak": words(LayerLeak.self, "How much of the layer's input its gradient discloses."),
        "condition": string("Under which condition `leak` holds."),
        "reason": string("Why `leak` is what it is."),
      ])
  }

  private static var recovery: JSONValue {
    record(
      "What was recovered from one layer of one source.",
      [
        "artifact": string("The file it was recovered from."),
        "layer": string("The layer whose input was recovered."),
        "isModelInput": flag("Whether that input is the model's own input."),
        "samples": integer("Number of samples recovered.", minimum: 0),
        "batchSize": optional(integer("Number of samples in the batch.", minimum: 0)),
        "proven": flag("Whether the certificate proves the recovery."),
        "certificate": optional(
          number("Relative error of the re-simulated gradient, dimensionless; null if not finite.")),
        "certificateScope": string("What the certificate compares."),
        "predictedError": optional(
          number("Root-mean-square error per entry, in input units; null if not finite.")),
        "source": string("`gradient`, `update` or an optimiser slot."),
        "method": string("The attack that recovered it."),
        "quality": optional(quality),
      ])
  }

  private static var labels: JSONValue {
    record(
      "What the classifier's gradient discloses about the labels of a batch.",
      [
        "present": list(
          integer("A class, counted from 0.", minimum: 0), "Classes that are certainly there."),
        "counts": optional(
          list(integer("Number of samples.", minimum: 0), "One count per class.")),
        "interval": optional(
          list(
            .object([
              "type": .string("array"),
              "items": integer("A bound.", minimum: 0),
              "minItems": .integer(2),
              "maxItems": .integer(2),
            ]), "Lower and upper bound of each count.")),
        "method": string("How the counts were obtained, under which assumption."),
        "exact": flag("Whether the counts are exact rather than estimated."),
        "source": string("Where the labels were read from."),
      ])
  }

  private static var preflight: JSONValue {
    record(
      "One check of an assumption.",
      [
        "artifact": string("The file that was checked."),
        "check": string("What was checked."),
        "status": words(PreflightCheck.Status.self, "The outcome."),
        "value": string("The number with its unit."),
        "explanation": optional(string("What would explain a warning or a mismatch.")),
      ])
  }

  private static var skipped: JSONValue {
    record(
      "Something that was not looked at.",
      [
        "artifact": string("The file that holds it."),
        "what": string("What was not looked at."),
        "why": string("Why not."),
      ])
  }

  private static var input: JSONValue {
    record(
      "One file.",
      [
        "path": string("The path as displayed."),
        "sha256": optional(
          .object(["type": .string("string"), "pattern": .string("^[0-9a-f]{64}$")])),
        "format": string("The recognised layout."),
        "role": string("What the file was used as."),
        "byteCount": integer("Size in bytes.", minimum: 0),
      ])
  }
}
