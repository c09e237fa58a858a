internal import AuditModel

/// What a SARIF log says about the run itself: inputs that could not be read, parts that were not
/// looked at, and suppressions that need attention.
struct SARIFNotifications {
  let report: AuditReport
  let places: SARIFPlaces

  /// The most notifications of a log; a file of many unknown layers has one for each.
  private static let limit = 1_000

  private enum Kind: String, CaseIterable {
    case expiredSuppression = "expired-suppression"
    case notLookedAt = "not-looked-at"
    case unreadableInput = "unreadable-input"
    case unusedSuppression = "unused-suppression"

    var meaning: String {
      switch self {
      case .expiredSuppression: "The last day of a suppression has passed."
      case .notLookedAt: "A part of an input was not looked at and may leak."
      case .unreadableInput: "An input could not be read and may leak."
      case .unusedSuppression: "A suppression covers no finding."
      }
    }

    var level: String {
      switch self {
      case .unreadableInput: "error"
      case .expiredSuppression, .notLookedAt: "warning"
      case .unusedSuppression: "note"
      }
    }

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  static var descriptors: JSONValue {
    .array(
      Kind.allCases.map { kind in
        .object([
          "id": .string(kind.rawValue), "shortDescription": SARIFPart.message(kind.meaning),
          "defaultConfiguration": .object(["level": .string(kind.level)]),
        ])
      })
  }

  /// About reading and analysing; unreadable inputs first.
  var execution: JSONValue {
    let sorted =
      report.skipped.filter(\.isUnreadableInput) + report.skipped.filter { !$0.isUnreadableInput }
    var entries = sorted.prefix(Self.limit).map { skipped in
      skipped.isUnreadableInput
        ? entry(.unreadableInput, skipped.why, places.location(skipped.artifact))
        : entry(.notLookedAt, "\(skipped.what): \(skipped.why)", places.location(skipped.artifact))
    }
    if sorted.count > Self.limit {
      entries.append(
        entry(
          .notLookedAt,
          "\(DisplayedNumber.grouped(sorted.count - Self.limit)) more parts were not looked at; the "
            + "JSON report lists them.", nil))
    }
    return .array(entries)
  }

  /// About `.leakaudit.yml`.
  var configuration: JSONValue {
    .array(
      report.policy.notices.map { notice in
        entry(
          notice.kind == .expired ? .expiredSuppression : .unusedSuppression, notice.text,
          places.location(notice))
      })
  }

  private func entry(_ kind: Kind, _ text: String, _ location: JSONValue?) -> JSONValue {
    var members: [String: JSONValue] = [
      "descriptor": .object(["id": .string(kind.rawValue), "index": .integer(kind.index)]),
      "level": .string(kind.level),
      "message": SARIFPart.message(text),
    ]
    if let location { members["locations"] = .array([location]) }
    return .object(members)
  }
}
