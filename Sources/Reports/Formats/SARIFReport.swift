package import AuditModel

/// SARIF 2.1.0, the format of code scanning on GitHub and of many viewers.
///
/// Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
package struct SARIFReport: ReportFormat {
  package static let name = "sarif"
  package static let summary = "SARIF 2.1.0 for code scanning"

  /// What relative references start from: the directory in which the tool ran.
  static let base = "%SRCROOT%"

  package init() {}

  package func render(_ report: AuditReport) -> String {
    let rules = SARIFRules(report)
    let places = SARIFPlaces(report)
    let notifications = SARIFNotifications(report: report, places: places)
    let run: [String: JSONValue] = [
      "tool": .object(["driver": driver(report, rules)]),
      "invocations": .array([invocation(report, notifications)]),
      "originalUriBaseIds": .object([
        Self.base: .object([
          "description": SARIFPart.message("The directory in which leakaudit ran.")
        ])
      ]),
      "columnKind": .string("unicodeCodePoints"),
      "artifacts": places.artifacts,
      "logicalLocations": places.logicalLocations,
      "results": SARIFResults(report: report, rules: rules, places: places).json,
      "properties": .object([
        "verdict": .string(report.verdict),
        "sensitivity": .string(report.policy.sensitivity.rawValue),
        "suppressed": .string(PolicyText.suppressed(report.policy)),
      ]),
    ]
    return JSONValue.object([
      "$schema": .string(
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
      ),
      "version": .string("2.1.0"),
      "runs": .array([.object(run)]),
    ]).text
  }

  private func driver(_ report: AuditReport, _ rules: SARIFRules) -> JSONValue {
    .object([
      "name": .string("leakaudit"),
      "version": .string(report.toolVersion),
      "semanticVersion": .string(report.toolVersion),
      "informationUri": .string("urn:leakaudit:documentation"),
      "rules": rules.json,
      "notifications": SARIFNotifications.descriptors,
    ])
  }

  private func invocation(
    _ report: AuditReport, _ notifications: SARIFNotifications
  ) -> JSONValue {
    .object([
      "arguments": JSONValue(Array(report.command.dropFirst())),
      "executionSuccessful": .bool(!report.skipped.contains(where: \.isUnreadableInput)),
      "exitCode": .integer(report.exitCode),
      "toolExecutionNotifications": notifications.execution,
      "toolConfigurationNotifications": notifications.configuration,
    ])
  }
}
