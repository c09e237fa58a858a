internal import ArgumentParser
internal import Auditing
internal import Checkpoints
internal import Reports

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is inside a file: layers, shapes, parameters, optimiser state, gradients.")

  @Argument(help: "A checkpoint or a gradient file.", completion: .file())
  var file: String

  @OptionGroup
  var memory: MemoryLimit

  @Flag(
    help: "Show what every static rule measures instead, beside what it compares with, as a table.")
  var rules = false

  func run() throws {
    let reader = memory.reader
    do throws(CheckpointError) {
      let text =
        rules
        ? try RuleStatistics.text(of: file, reader: reader)
        : try Inspection.text(of: file, reader: reader)
      Output.standard.write(text)
    } catch {
      Output.error.write("leakaudit error: \(Escaped.terminal(error.description))\n")
      if case .nothingInside = error.reason { throw ExitCode(ExitStatus.nothing.rawValue) }
      throw ExitCode(ExitStatus.incomplete.rawValue)
    }
  }
}

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Explain a rule or an attack; without one, list them.")

  @Argument(
    help: "The identifier of a finding.", completion: .custom { _, _, _ in Explanation.identifiers }
  )
  var identifier: String?

  func run() throws {
    guard let identifier else {
      Output.standard.write(Explanation.identifiers.joined(separator: "\n") + "\n")
      return
    }
    guard let text = Explanation.text(for: identifier) else {
      let nearest = Explanation.nearest(to: identifier).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "There is no rule or attack '\(Escaped.terminal(identifier))'.\(nearest)")
    }
    Output.standard.write(text)
  }
}

struct SchemaCommand: ParsableCommand {
  enum Subject: String, ExpressibleByArgument, CaseIterable { case layout, report }

  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the HDF5 layout this tool reads, or the JSON schema of its report.")

  @Argument(help: "layout or report.")
  var subject: Subject = .layout

  func run() {
    Output.standard.write(
      subject == .layout ? LayoutDocument.layout : LayoutDocument.reportSchema)
  }
}
