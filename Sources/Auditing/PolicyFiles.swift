package import AuditModel
internal import Checkpoints
package import Rules
package import Settings

/// What the command line says about policy; everything is optional.
package struct PolicyOptions: Sendable {
  /// The settings file; without one, the standard name in the working directory is tried.
  package var configuration: String?
  package var baseline: String?
  package var failOn: FailThreshold?
  package var sensitivity: Sensitivity?
  /// A day that replaces the one of the clock.
  package var today: CalendarDate?
  /// The day by the clock.
  package var clock: CalendarDate

  package init(clock: CalendarDate) { self.clock = clock }
}

/// A request whose findings somebody decides about beforehand.
package protocol PolicyBearing {
  /// The least severity that fails the run; `nil` never fails.
  var failOn: Severity? { get set }
  var rules: RuleSettings { get set }
  var policy: AuditPolicy { get set }
  /// The files that `policy` and `rules` come from.
  var policyFiles: [InputSummary] { get set }
  /// The options that state `policy`, with displayed paths.
  var policyCommand: [String] { get set }

  /// Takes over what settings say beyond policy.
  mutating func adopt(_ settings: AuditSettings)
}

extension PolicyBearing {
  package mutating func adopt(_ settings: AuditSettings) {}
}

extension PolicyBearing {
  /// Reads the files that `options` names and takes over what they and it say; it has the last word.
  ///
  /// - Throws: ``SettingsError`` if a file cannot be read or understood.
  package mutating func apply(_ options: PolicyOptions) throws(SettingsError) {
    var settings = AuditSettings()
    let path = options.configuration ?? SettingsReader.standardName
    if let file = try PolicyFile(path, mayBeMissing: options.configuration == nil) {
      guard file.text.utf8.count <= SettingsReader.byteLimit else {
        throw SettingsError(
          file: file.name, line: nil, found: "it has \(file.text.utf8.count) bytes",
          needed: "at most \(SettingsReader.byteLimit) are needed")
      }
      settings = try SettingsReader(file: file.name, vocabulary: Explanation.vocabulary)
        .read(file.text)
      policyFiles.append(file.summary(format: "yaml", role: "configuration"))
    }
    if let path = options.baseline, let file = try PolicyFile(path, mayBeMissing: false) {
      policy.baseline = try Baseline(file.text, file: file.name)
      policyFiles.append(file.summary(format: "json", role: "baseline"))
    }
    failOn = (options.failOn ?? settings.failOn ?? .high).severity
    rules = settings.rules
    policy.sensitivity = options.sensitivity ?? settings.sensitivity ?? .personal
    policy.suppressions = settings.suppressions
    adopt(settings)
    policy.today = options.today ?? options.clock
    policyCommand = [
      ("--config", options.configuration.map(DisplayedPath.of)),
      ("--baseline", options.baseline.map(DisplayedPath.of)),
      ("--sensitivity", policy.sensitivity == .personal ? nil : policy.sensitivity.rawValue),
      ("--today", options.today?.description),
    ].flatMap { option, value in value.map { [option, $0] } ?? [] }
  }

  /// The rules that were turned off: they are something that was not looked at.
  var disabledRules: [Skipped] {
    rules.disabled.sorted().map {
      Skipped(
        artifact: policyFiles.first { $0.role == "configuration" }?.path ?? "",
        what: "rule \($0)", why: "it is turned off in the configuration")
    }
  }
}

extension Explanation {
  /// The words that a settings file may use.
  package static var vocabulary: SettingsVocabulary {
    let rules = RuleCatalog.all.map { $0.metadata }
    return SettingsVocabulary(
      identifiers: identifiers,
      thresholds: Dictionary(
        uniqueKeysWithValues: rules.map { ($0.identifier, $0.thresholds.map(\.name)) }))
  }
}

/// A small text file that a person or this tool wrote.
private struct PolicyFile {
  /// The path that reports show.
  let name: String
  let text: String
  let sha256: String

  /// - Returns: `nil` if there is none and it may be missing.
  init?(_ path: String, mayBeMissing: Bool) throws(SettingsError) {
    name = DisplayedPath.of(path)
    do throws(CheckpointError) {
      let file = try MappedFile(path: path)
      guard file.count <= JSONValue.byteLimit, let bytes = file.copy(0..<file.count),
        let text = String(validating: bytes, as: UTF8.self)
      else {
        throw CheckpointError(.unopenable(detail: "it is no UTF-8 text"), file: path)
      }
      self.text = text
      sha256 = file.sha256()
    } catch {
      if case .missing = error.reason, mayBeMissing { return nil }
      if case .empty = error.reason {
        (text, sha256) = ("", Digest.sha256(""))
        return
      }
      throw SettingsError(
        file: name, line: nil, found: error.explanation, needed: "a readable file is needed")
    }
  }

  func summary(format: String, role: String) -> InputSummary {
    InputSummary(
      path: name, sha256: sha256, format: format, role: role, byteCount: text.utf8.count)
  }
}
