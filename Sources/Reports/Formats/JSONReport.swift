package import AuditModel

/// The report for programs; ``JSONReportSchema`` describes it.
///
/// Every key is always present: what is unknown is `null`, what is empty is an empty list.
package struct JSONReport: ReportFormat {
  package static let name = "json"
  package static let summary = "JSON for programs; its schema is part of the tool"

  package init() {}

  package func render(_ report: AuditReport) -> String {
    JSONValue.object([
      "schemaVersion": .string(report.schemaVersion),
      "toolVersion": .string(report.toolVersion),
      "command": JSONValue(report.command),
      "verdict": .string(report.verdict),
      "exitCode": .integer(report.exitCode),
      "attackerGets": JSONValue(report.attackerGets),
      "findings": .array(report.findings.sorted(by: Finding.reportOrder).map(\.json)),
      "layers": .array(report.layers.map(\.json)),
      "recoveries": .array(report.recoveries.map(\.json)),
      "chains": .array(report.chains.map(\.json)),
      "inversions": .array(report.inversions.map(\.json)),
      "labels": report.labels?.json ?? .null,
      "preflight": .array(report.preflight.map(\.json)),
      "skipped": .array(report.skipped.map(\.json)),
      "inputs": .array(report.inputs.map(\.json)),
      "policy": report.policy.json,
    ]).text
  }
}

extension Finding {
  fileprivate var json: JSONValue {
    .object([
      "id": .string(id),
      "severity": .string(severity.rawValue),
      "statedSeverity": .string(statedSeverity.rawValue),
      "evidence": .string(evidence.rawValue),
      "recoverability": .string(recoverability.rawValue),
      "access": .string(access.rawValue),
      "fingerprint": .string(fingerprint),
      "artifact": .string(artifact),
      "layer": JSONValue(layer),
      "message": .string(message),
      "formula": JSONValue(formula),
      "measurements": .array(
        measurements.map { .object(["name": .string($0.name), "value": .string($0.value)]) }),
      "preconditions": JSONValue(preconditions),
      "remedy": .string(remedy),
      "remedyEffect": JSONValue(remedyEffect),
      "citations": .array(citations.map(\.json)),
    ])
  }
}

extension PolicySummary {
  fileprivate var json: JSONValue {
    .object([
      "sensitivity": .string(sensitivity.rawValue),
      "failOn": JSONValue(failOn?.rawValue),
      "suppressed": .array(
        suppressed.map { item in
          .object([
            "finding": item.finding.json,
            "origin": .string(item.origin.rawValue),
            "reason": .string(item.reason),
            "expires": JSONValue(item.expires?.description),
          ])
        }),
      "hasBaseline": .bool(hasBaseline),
      "resolved": .integer(resolved),
      "notices": .array(
        notices.map { notice in
          .object([
            "kind": .string(notice.kind.rawValue), "file": .string(notice.file),
            "line": .integer(notice.line),
            "text": .string(notice.text),
          ])
        }),
    ])
  }
}

extension Citation {
  fileprivate var json: JSONValue {
    .object([
      "authors": .string(authors),
      "title": .string(title),
      "venue": .string(venue),
      "locator": .string(locator),
    ])
  }
}

extension LayerSummary {
  fileprivate var json: JSONValue {
    .object([
      "artifact": .string(artifact),
      "name": .string(name),
      "kind": .string(kind),
      "parameters": .integer(parameters),
      "leak": .string(leak.rawValue),
      "condition": .string(condition),
      "reason": .string(reason),
    ])
  }
}

extension RecoverySummary {
  fileprivate var json: JSONValue {
    .object([
      "artifact": .string(artifact),
      "layer": .string(layer),
      "isModelInput": .bool(isModelInput),
      "samples": .integer(samples),
      "batchSize": JSONValue(batchSize),
      "proven": .bool(proven),
      "certificate": .number(certificate),
      "certificateScope": .string(certificateScope),
      "predictedError": .number(predictedError),
      "source": .string(source),
      "method": .string(method),
      "quality": quality?.json ?? .null,
    ])
  }
}

extension LabelSummary {
  fileprivate var json: JSONValue {
    .object([
      "present": .array(present.map { .integer($0) }),
      "counts": counts.map { .array($0.map { .integer($0) }) } ?? .null,
      "interval": interval.map { .array($0.map { .array($0.map { .integer($0) }) }) } ?? .null,
      "method": .string(method),
      "exact": .bool(exact),
      "source": .string(source),
    ])
  }
}

extension PreflightCheck {
  fileprivate var json: JSONValue {
    .object([
      "artifact": .string(artifact),
      "check": .string(check),
      "status": .string(status.rawValue),
      "value": .string(value),
      "explanation": JSONValue(explanation),
    ])
  }
}

extension Skipped {
  fileprivate var json: JSONValue {
    .object(["artifact": .string(artifact), "what": .string(what), "why": .string(why)])
  }
}

extension InputSummary {
  fileprivate var json: JSONValue {
    .object([
      "path": .string(path),
      "sha256": JSONValue(sha256),
      "format": .string(format),
      "role": .string(role),
      "byteCount": .integer(byteCount),
    ])
  }
}
