package import AuditModel

/// JUnit XML, which Jenkins, GitLab and most build servers show as tests.
///
/// One suite for each file. A finding that fails the run is a failure, one below `--fail-on` passes
/// with its message as output, a suppressed one is skipped with the reason, and so is what was not
/// looked at; an unreadable file is an error. There are no times, since equal input gives equal
/// bytes.
package struct JUnitReport: ReportFormat {
  package static let name = "junit"
  package static let summary = "JUnit XML for the test views of build servers"

  package init() {}

  package func render(_ report: AuditReport) -> String {
    let suites = artifacts(report).map { suite($0, report) }
    var root = XMLElement(name: "testsuites")
    root.attributes = [("name", "leakaudit")] + counts(suites.flatMap(\.children))
    root.children = suites + [policy(report)]
    return root.document
  }

  /// The files in the order in which the report names them first.
  private func artifacts(_ report: AuditReport) -> [String] {
    let policyRoles = ["configuration", "baseline"]
    let names =
      report.inputs.filter { !policyRoles.contains($0.role) }.map(\.path)
      + report.ordered.map(\.artifact) + report.policy.suppressed.map(\.finding.artifact)
      + report.skipped.map(\.artifact)
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  private func suite(_ artifact: String, _ report: AuditReport) -> XMLElement {
    var cases = [reading(artifact, report)]
    cases += report.ordered.filter { $0.artifact == artifact }.map { finding in
      testCase(finding, report.fails(finding) ? failure(finding) : output(finding))
    }
    cases += report.policy.suppressed.filter { $0.finding.artifact == artifact }.map { item in
      let until = item.expires.map { ", through \($0)" } ?? ""
      return testCase(
        item.finding, skipped("suppressed (\(item.origin.rawValue)\(until)): \(item.reason)"))
    }
    let rest = report.skipped.filter { $0.artifact == artifact && !$0.isUnreadableInput }
    cases += rest.map { item in
      testCase(artifact, "not looked at: \(item.what)", skipped(item.why))
    }
    var suite = XMLElement(name: "testsuite")
    suite.attributes = [("name", artifact)] + counts(cases)
    suite.children = numbered(cases)
    return suite
  }

  /// How many findings are suppressed, and suppressions that need attention; no tests.
  private func policy(_ report: AuditReport) -> XMLElement {
    var suite = XMLElement(name: "testsuite")
    suite.attributes = [("name", "suppressions")] + counts([])
    suite.children = [
      XMLElement(
        name: "system-out",
        lines: [PolicyText.suppressed(report.policy)]
          + report.policy.notices.map { "\($0.place): \($0.text)" })
    ]
    return suite
  }

  /// Whether the file could be read, so that no suite is empty.
  private func reading(_ artifact: String, _ report: AuditReport) -> XMLElement {
    let trouble = report.skipped.first { $0.artifact == artifact && $0.isUnreadableInput }
    return testCase(
      artifact, "is readable",
      trouble.map { XMLElement(name: "error", attributes: [("message", $0.why)]) })
  }

  private func testCase(_ finding: Finding, _ outcome: XMLElement) -> XMLElement {
    testCase(finding.artifact, finding.id + (finding.layer.map { " at \($0)" } ?? ""), outcome)
  }

  private func testCase(
    _ artifact: String, _ name: String, _ outcome: XMLElement?
  ) -> XMLElement {
    XMLElement(
      name: "testcase", attributes: [("classname", artifact), ("name", name)],
      children: outcome.map { [$0] } ?? [])
  }

  private func failure(_ finding: Finding) -> XMLElement {
    XMLElement(
      name: "failure",
      attributes: [("message", finding.message), ("type", finding.severity.rawValue)],
      lines: description(finding))
  }

  private func output(_ finding: Finding) -> XMLElement {
    XMLElement(
      name: "system-out",
      lines: ["\(finding.severity.rawValue): \(finding.message)"] + description(finding))
  }

  private func skipped(_ message: String) -> XMLElement {
    XMLElement(name: "skipped", attributes: [("message", message)])
  }

  private func description(_ finding: Finding) -> [String] {
    ["Evidence: \(finding.evidence.rawValue)"]
      + finding.preconditions.map { "Condition: \($0)" } + ["Fix: \(finding.remedy)"]
  }

  /// Equal names get a number behind them: build servers take cases of one name for one.
  private func numbered(_ cases: [XMLElement]) -> [XMLElement] {
    var seen: [String: Int] = [:]
    return cases.map { element in
      var element = element
      let name = element.attributes[1].value
      seen[name, default: 0] += 1
      if let count = seen[name], count > 1 { element.attributes[1].value = "\(name) (\(count))" }
      return element
    }
  }

  private func counts(_ cases: [XMLElement]) -> [(name: String, value: String)] {
    func count(_ name: String) -> String {
      "\(cases.count { $0.children.contains { $0.name == name } })"
    }
    return [
      ("tests", "\(cases.count)"), ("failures", count("failure")), ("errors", count("error")),
      ("skipped", count("skipped")),
    ]
  }
}
