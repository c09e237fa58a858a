internal import ArgumentParser
internal import AuditModel
internal import Auditing
internal import Glibc

/// What counts: the options behind exit code 1.
struct PolicyArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The least severity that ends with exit code 1: none, low, medium, high or critical (default: high).",
      valueName: "severity"),
    completion: .list(FailThreshold.allCases.map(\.rawValue)))
  var failOn: FailThreshold?

  @Option(
    help: ArgumentHelp(
      "What the data behind the model are: public, internal, personal or special (default: personal).",
      valueName: "kind"),
    completion: .list(Sensitivity.allCases.map(\.rawValue)))
  var sensitivity: Sensitivity?

  @Option(
    help: ArgumentHelp(
      "Settings and suppressions (default: .leakaudit.yml here, if there is one).",
      valueName: "file"), completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Findings that are accepted, as 'leakaudit baseline' writes them; only new ones count.",
      valueName: "file"), completion: .file())
  var baseline: String?

  @Option(
    help: ArgumentHelp(
      "The day on which suppressions are judged, instead of the clock's in UTC.",
      valueName: "yyyy-mm-dd"))
  var today: CalendarDate?

  /// Takes over the options and the files that they name.
  ///
  /// - Throws: `SettingsError` if a file cannot be read or understood.
  func apply(to request: inout some PolicyBearing) throws {
    var options = PolicyOptions(clock: CalendarDate(secondsSince1970: time(nil)))
    options.configuration = config
    options.baseline = baseline
    options.failOn = failOn
    options.sensitivity = sensitivity
    options.today = today
    try request.apply(options)
  }
}
