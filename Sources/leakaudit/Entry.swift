internal import ArgumentParser
internal import Auditing
internal import Checkpoints
internal import Glibc

/// Starts the tool, or the reading child that the tool starts of itself.
@main
enum Entry {
  static func main() {
    ReadingChild.runIfRequested(CommandLine.arguments)
    WaitingThreads.calm()
    TruncationGuard.install()
    do {
      var command = try Leakaudit.parseAsRoot()
      try command.run()
    } catch {
      end(with: error)
    }
  }

  /// Help and version end with 0; an exit code chosen by a command is kept; the rest is usage.
  private static func end(with error: any Error) -> Never {
    let code = Leakaudit.exitCode(for: error)
    let text = Leakaudit.fullMessage(for: error)
    if let chosen = error as? ExitCode { exit(chosen.rawValue) }
    if code == .success {
      Output.standard.write(text + "\n")
      exit(0)
    }
    Output.error.write(text + "\n")
    exit(ExitStatus.usage.rawValue)
  }
}

struct Leakaudit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leakaudit",
    abstract: "Finds out which inputs can be read back from a neural network's gradients.",
    discussion: """
      Reads model weights, gradients, client updates and optimiser state from HDF5 (Keras, PyTorch, \
      JAX, Flower), recovers inputs and labels in closed form, proves each recovery by simulating \
      the gradient again, and writes a risk report.

      EXIT CODES
        0  everything was audited and nothing is at or above --fail-on
        1  a finding is at or above --fail-on
        2  an input was unreadable or only partly audited
        3  nothing auditable was found
        4  usage, configuration or writing the report failed
        Where several apply: 4 before 1 before 2 before 3.

      EXAMPLES
        leakaudit audit model.h5
        leakaudit audit model.h5 --gradient gradient.h5 --format md=report.md
        leakaudit audit model.h5 --before round1.weights.h5 --after client.weights.h5
        leakaudit compare agreed.h5 received.h5
      """,
    version: Tool.version,
    subcommands: [
      AuditCommand.self, BaselineCommand.self, CompareCommand.self, SimulateCommand.self,
      InspectCommand.self, ExplainCommand.self, SchemaCommand.self,
    ])
}
