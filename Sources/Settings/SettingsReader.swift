internal import AuditModel
internal import Rules

/// Reads `.leakaudit.yml`; a word that it does not know is an error.
package struct SettingsReader: Sendable {
  /// The name by which settings are found in the working directory.
  package static let standardName = ".leakaudit.yml"
  /// The most bytes a file may have.
  package static let byteLimit = 256 << 10

  /// The path that errors and reports show.
  let file: String
  let vocabulary: SettingsVocabulary

  package init(file: String, vocabulary: SettingsVocabulary) {
    self.file = file
    self.vocabulary = vocabulary
  }

  package func read(_ text: String) throws(SettingsError) -> AuditSettings {
    var settings = AuditSettings()
    guard let document = try SettingsDocument.parse(text, file: file) else { return settings }
    for (key, place, value) in try document.members(of: "the file") {
      switch key {
      case "fail-on": settings.failOn = try value.word("'fail-on'", FailThreshold.self)
      case "sensitivity": settings.sensitivity = try value.word("'sensitivity'", Sensitivity.self)
      case "rules": settings.rules = try rules(value)
      case "inversion": try inversion(value, into: &settings)
      case "suppressions":
        for element in try value.elements(of: "'suppressions'") {
          settings.suppressions.append(try suppression(element))
        }
      default:
        throw unknown(
          key, at: place, ["fail-on", "sensitivity", "rules", "inversion", "suppressions"])
      }
    }
    return settings
  }

  /// Rules that are `on`, `off`, or on with other thresholds.
  private func rules(_ document: SettingsDocument) throws(SettingsError) -> RuleSettings {
    var settings = RuleSettings()
    for (rule, place, value) in try document.members(of: "'rules'") {
      guard let thresholds = vocabulary.thresholds[rule] else {
        guard !vocabulary.identifiers.contains(rule) else {
          throw place.error(
            "'\(rule)' is no static rule and cannot be turned off",
            needed: "an entry in 'suppressions' is needed to accept what it finds")
        }
        throw place.error(
          "there is no rule '\(rule)'", needed: "'leakaudit explain' lists them",
          nearest: Spelling.nearest(to: rule, among: vocabulary.thresholds.keys))
      }
      if value.isMapping {
        settings.thresholds[rule] = try self.thresholds(value, of: rule, named: thresholds)
        continue
      }
      switch try value.text("the rule '\(rule)'").lowercased() {
      case "on", "true": break
      case "off", "false": settings.disabled.insert(rule)
      case let word:
        throw value.error(
          "the rule '\(rule)' is '\(word)'", needed: "on, off or its thresholds are needed",
          nearest: Spelling.nearest(to: word, among: ["on", "off"], limit: 2))
      }
    }
    return settings
  }

  private func thresholds(
    _ document: SettingsDocument, of rule: String, named names: [String]
  ) throws(SettingsError) -> [String: Double] {
    var thresholds: [String: Double] = [:]
    for (name, place, value) in try document.members(of: "the rule '\(rule)'") {
      guard names.contains(name) else {
        guard !names.isEmpty else {
          throw place.error(
            "the rule '\(rule)' has no threshold", needed: "'on' or 'off' is needed")
        }
        throw unknown(name, at: place, names)
      }
      thresholds[name] = try value.number("the threshold '\(name)'")
    }
    return thresholds
  }

  private func suppression(_ document: SettingsDocument) throws(SettingsError) -> Suppression {
    var rule: String?
    var (path, layer, reason): (String?, String?, String?)
    var expires: CalendarDate?
    for (key, place, value) in try document.members(of: "a suppression") {
      switch key {
      case "rule": rule = try identifier(value)
      case "path": path = try value.text("'path'")
      case "layer": layer = try value.text("'layer'")
      case "reason": reason = try value.text("'reason'")
      case "expires":
        let text = try value.text("'expires'")
        guard let date = CalendarDate(text) else {
          throw value.error("'expires' is '\(text)'", needed: "a day as YYYY-MM-DD is needed")
        }
        expires = date
      default: throw unknown(key, at: place, ["rule", "path", "layer", "reason", "expires"])
      }
    }
    func missing(_ key: String, _ meaning: String) -> SettingsError {
      document.error("a suppression has no '\(key)'", needed: "\(meaning) is needed")
    }
    guard let rule else { throw missing("rule", "the identifier of a finding") }
    guard path != nil || layer != nil else {
      throw document.error(
        "a suppression has neither 'path' nor 'layer'",
        needed: "one of them is needed; '**' is any")
    }
    guard let reason else { throw missing("reason", "why the finding is acceptable") }
    guard let expires else { throw missing("expires", "the last day on which it holds") }
    return Suppression(
      rule: rule, path: path.map { Glob($0) }, layer: layer.map { Glob($0) }, reason: reason,
      expires: expires, file: file, line: document.line ?? 1)
  }

  private func identifier(_ document: SettingsDocument) throws(SettingsError) -> String {
    let text = try document.text("'rule'")
    guard vocabulary.identifiers.contains(text) else {
      throw document.error(
        "no finding has the identifier '\(text)'", needed: "'leakaudit explain' lists them",
        nearest: Spelling.nearest(to: text, among: vocabulary.identifiers))
    }
    return text
  }

  func unknown(
    _ key: String, at place: SettingsDocument, _ known: [String]
  ) -> SettingsError {
    place.error(
      "'\(key)' is no key here", needed: "known are \(known.joined(separator: ", "))",
      nearest: Spelling.nearest(to: key, among: known))
  }
}
