internal import ArgumentParser
internal import AuditModel
internal import Glibc
internal import Reports
internal import Synchronization

/// `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
}

/// What goes to standard error.
struct MessageOptions: ParsableArguments {
  @Flag(help: "Write nothing to standard error but errors.")
  var quiet = false

  @Option(
    help: ArgumentHelp("Colours on standard error: auto, always or never.", valueName: "when"),
    completion: .list(["auto", "always", "never"]))
  var color: ColorChoice = .auto

  var console: Console { Console(color: color, isQuiet: quiet) }
}

/// Messages for the person at the terminal, on standard error.
struct Console: Sendable {
  private let usesColor: Bool
  private let isQuiet: Bool
  private let showsProgress: Bool

  init(color: ColorChoice, isQuiet: Bool) {
    // Safe: the literal outlives the call, and nothing changes the environment.
    let forbids = unsafe getenv("NO_COLOR").map { unsafe $0.pointee != 0 } ?? false
    usesColor = color == .always || color == .auto && Output.error.isTerminal && !forbids
    self.isQuiet = isQuiet
    showsProgress = !isQuiet && Output.error.isTerminal
  }

  /// On a terminal a line that replaces itself, elsewhere a line a minute.
  var progress: @Sendable (String) -> Void {
    if isQuiet { return { _ in } }
    guard showsProgress else {
      let pace = Pace()
      return { text in
        if pace.isDue() { line("note", "32", text) }
      }
    }
    return { Output.error.write("\r\u{1B}[2K\(Escaped.terminal($0)) …") }
  }

  /// Once a minute.
  private final class Pace: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func isDue() -> Bool {
      last.withLock { last in
        let now = ContinuousClock.now
        guard now - last >= .seconds(60) else { return false }
        last = now
        return true
      }
    }
  }

  func clearProgress() {
    if showsProgress { Output.error.write("\r\u{1B}[2K") }
  }

  func error(_ text: String) { line("error", "31", text) }

  /// Ends the progress, and names the inputs that could not be read.
  func finished(_ report: AuditReport) {
    clearProgress()
    for skipped in report.skipped where skipped.what == "file" {
      error("\(skipped.artifact): \(skipped.why)")
    }
    for notice in report.policy.notices where notice.kind == .expired {
      if !isQuiet { line("warning", "33", "\(notice.place): \(notice.text).") }
    }
  }

  func note(_ text: String) {
    guard !isQuiet else { return }
    line("note", "32", text)
  }

  /// One line at the end.
  func summary(_ report: AuditReport) {
    guard !isQuiet else { return }
    let color = report.exitCode == 0 ? "32" : report.exitCode == 1 ? "31" : "33"
    line("verdict", color, "\(report.verdict) (exit code \(report.exitCode))")
  }

  private func line(_ word: String, _ color: String, _ text: String) {
    let head = usesColor ? "\u{1B}[\(color)mleakaudit \(word):\u{1B}[0m" : "leakaudit \(word):"
    Output.error.write("\(head) \(Escaped.terminal(text))\n")
  }
}
