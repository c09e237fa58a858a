internal import ArgumentParser
internal import AuditModel
internal import Glibc
internal import Reports

/// `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
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

  /// A line that replaces itself, on a terminal only.
  var progress: @Sendable (String) -> Void {
    guard showsProgress else { return { _ in } }
    return { Output.error.write("\r\u{1B}[2K\(Escaped.terminal($0)) …") }
  }

  func clearProgress() {
    if showsProgress { Output.error.write("\r\u{1B}[2K") }
  }

  func error(_ text: String) { line("error", "31", text) }

  /// One line at the end.
  func summary(_ report: AuditReport) {
    guard !isQuiet else { return }
    let color = report.exitCode == 0 ? "32" : report.exitCode == 1 ? "31" : "33"
    line("verdict", color, "\(report.verdict) (exit code \(report.exitCode))")
  }

  /// What a command has done.
  func done(_ text: String) {
    if !isQuiet { line("done", "32", text) }
  }

  private func line(_ word: String, _ color: String, _ text: String) {
    let head = usesColor ? "\u{1B}[\(color)mleakaudit \(word):\u{1B}[0m" : "leakaudit \(word):"
    Output.error.write("\(head) \(Escaped.terminal(text))\n")
  }
}
