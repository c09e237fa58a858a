internal import ArgumentParser
internal import AuditModel
internal import Auditing
internal import Checkpoints
internal import Glibc
internal import Reports
internal import Settings

/// One `--format`: what to write and where.
struct ReportOutput {
  let format: any ReportFormat.Type
  /// The file to write; `nil` is standard output.
  let path: String?

  init(_ argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let format = ReportCatalog.format(named: String(parts[0])) else {
      throw ValidationError(
        "There is no report format '\(Escaped.terminal(String(parts[0])))'; there are "
          + ReportCatalog.names.joined(separator: ", ") + ".")
    }
    guard parts.count == 1 || !parts[1].isEmpty else {
      throw ValidationError("--format \(parts[0])= needs a path behind the equals sign.")
    }
    self.format = format
    path = parts.count > 1 && parts[1] != "-" ? String(parts[1]) : nil
  }

  /// What the `--format` options ask for; Markdown on standard output if there are none.
  ///
  /// - Throws: `ValidationError` if one is unknown, or two would go to standard output.
  static func all(_ texts: [String]) throws -> [ReportOutput] {
    let outputs = try (texts.isEmpty ? ["md"] : texts).map { try ReportOutput($0) }
    guard outputs.count(where: { $0.path == nil }) <= 1 else {
      throw ValidationError("Two formats would go to standard output; give all but one a =PATH.")
    }
    return outputs
  }

  func write(_ report: AuditReport) throws(OutputError) {
    try TextOutput(path: path, what: "the report").write(format.init().render(report))
  }
}

/// A file or standard output, for a text that is made at once.
struct TextOutput {
  /// The file to write; `nil` is standard output.
  let path: String?
  /// The text in messages, such as "the report".
  let what: String

  func write(_ text: String) throws(OutputError) {
    guard let path else {
      guard Output.standard.write(text) else {
        throw OutputError(description: "standard output: \(what) could not be written.")
      }
      return
    }
    // Safe: the path outlives the call.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      // Safe: the message is copied at once.
      let reason = unsafe String(cString: strerror(errno))
      throw OutputError(
        description: "\(Escaped.terminal(path)): \(what) cannot be written (\(reason)); a "
          + "writable path is needed. Choose another one.")
    }
    let isWritten = Output(descriptor: descriptor).write(text)
    guard close(descriptor) == 0, isWritten else {
      throw OutputError(
        description: "\(Escaped.terminal(path)): \(what) was only partly written; free space "
          + "is needed. Delete it and run again.")
    }
  }
}

/// An error that ends a command with exit code 4.
protocol Unworkable: Error {
  /// Place, what was found, what is needed and what to do.
  var description: String { get }
}

extension SettingsError: Unworkable {}
extension RecoveredSaveError: Unworkable {}
extension SearchStateError: Unworkable {}

/// Why a report could not be written.
struct OutputError: Unworkable {
  let description: String
}

extension Console {
  /// Ends a command with the exit code of the report that it makes, or with 4 if it cannot.
  ///
  /// - Throws: always.
  func end(_ work: () throws -> AuditReport) throws {
    do {
      throw ExitCode(Int32(try work().exitCode))
    } catch let error as any Unworkable {
      self.error(error.description)
      throw ExitCode(ExitStatus.usage.rawValue)
    }
  }
}

/// A descriptor that takes text.
struct Output {
  static let standard = Output(descriptor: 1)
  static let error = Output(descriptor: 2)

  let descriptor: Int32

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// - Returns: whether everything was written.
  @discardableResult
  func write(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      // Safe: the buffer outlives the call.
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
