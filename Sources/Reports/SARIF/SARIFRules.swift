internal import AuditModel

/// The rules and attacks that a SARIF log refers to by index.
struct SARIFRules {
  /// Identifiers in the order of the log.
  let identifiers: [String]
  private let report: AuditReport

  init(_ report: AuditReport) {
    self.report = report
    identifiers = Set(Self.all(report).map(\.id) + report.rules.map(\.identifier)).sorted()
  }

  var json: JSONValue { .array(identifiers.map(descriptor)) }

  func index(of identifier: String) -> Int? { identifiers.firstIndex(of: identifier) }

  private static func all(_ report: AuditReport) -> [Finding] {
    report.findings + report.policy.suppressed.map(\.finding)
  }

  private func descriptor(_ identifier: String) -> JSONValue {
    let severity =
      Self.all(report).filter { $0.id == identifier }.map(\.severity).max() ?? .info
    var properties: [String: JSONValue] = ["tags": JSONValue(["privacy", "security"])]
    // GitHub knows one severity for each rule: that of its worst finding in this log.
    if let number = Rating.securitySeverity(severity) {
      properties["security-severity"] = .string(number)
    }
    var members: [String: JSONValue] = [
      "id": .string(identifier),
      "defaultConfiguration": .object(["level": .string(SARIFPart.level(severity))]),
      "properties": .object(properties),
    ]
    if let description = report.rules.first(where: { $0.identifier == identifier }) {
      members["shortDescription"] = SARIFPart.message(description.title)
      members["fullDescription"] = SARIFPart.message(
        description.parts.first?.body ?? description.title)
      members["help"] = .object([
        "text": .string(text(description)), "markdown": .string(markdown(description)),
      ])
    } else {
      members["shortDescription"] = SARIFPart.message(identifier)
    }
    return .object(members)
  }

  private func text(_ description: RuleDescription) -> String {
    let parts = description.parts.map { part in
      ([Escaped.sarif(part.heading) + ":"] + lines(part).map { Escaped.sarif($0) })
        .joined(separator: "\n")
    }
    return parts.joined(separator: "\n\n") + "\n\n"
      + (["Sources:"] + description.sources.map { Escaped.sarif(source($0)) })
      .joined(separator: "\n") + "\n"
  }

  private func markdown(_ description: RuleDescription) -> String {
    let parts = description.parts.map { part in
      let body =
        part.isVerbatim
        ? ["```"] + lines(part) + ["```"]
        : lines(part).flatMap { [Escaped.markdownText($0), ""] }.dropLast()
      return (["**\(Escaped.markdownText(part.heading))**", ""] + body).joined(separator: "\n")
    }
    let sources = description.sources.map { "- \(Escaped.markdownText(source($0)))" }
    let text =
      parts.joined(separator: "\n\n") + "\n\n"
      + (sources.isEmpty ? [] : ["**Sources**", ""] + sources).joined(separator: "\n") + "\n"
    // A formatted message has placeholders too.
    return text.replacing("{", with: "{{").replacing("}", with: "}}")
  }

  private func lines(_ part: RuleDescription.Part) -> [String] {
    part.body.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func source(_ citation: Citation) -> String {
    "\(citation.authors): \(citation.title). \(citation.venue), \(citation.locator)"
  }
}
