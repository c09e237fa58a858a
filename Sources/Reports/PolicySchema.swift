internal import AuditModel

/// The part of the report's schema that describes what was decided beforehand.
extension JSONReportSchema {
  static var policy: JSONValue {
    record(
      "What was decided beforehand, and what became of it.",
      [
        "sensitivity": words(Sensitivity.self, "What the data were declared as."),
        "failOn": optional(
          words(Severity.self, "The least severity that fails the run; null never fails.")),
        "suppressed": list(suppressed, "Findings that are reported and do not count."),
        "hasBaseline": flag("Whether a baseline was given."),
        "resolved": integer("Entries of the baseline that no finding matches.", minimum: 0),
        "notices": list(notice, "Suppressions that expired or cover nothing."),
      ])
  }

  private static var suppressed: JSONValue {
    record(
      "A finding that is reported and does not count.",
      [
        "finding": finding,
        "origin": words(SuppressedFinding.Origin.self, "Who decided."),
        "reason": string("Why."),
        "expires": optional(string("The last day on which that holds, as YYYY-MM-DD.")),
      ])
  }

  private static var notice: JSONValue {
    record(
      "Something to know about a suppression.",
      [
        "kind": words(PolicyNotice.Kind.self, "What is the matter."),
        "file": string("Where the suppression is written."),
        "line": integer("Its line, counted from 1.", minimum: 1),
        "text": string("One sentence without its full stop."),
      ])
  }
}
