internal import ArgumentParser
internal import Glibc

/// How many things are done at a time; no report depends on it.
struct Parallelism: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How many rules run at a time, as many as there are cores by default; the report is the same.",
      valueName: "n"))
  var jobs: Int?

  /// The cores of this machine, at least 1.
  static var cores: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

  /// What was asked for, or one for each core.
  var count: Int { jobs ?? Self.cores }

  func validate() throws {
    guard jobs.map({ (1...1_024).contains($0) }) ?? true else {
      throw ValidationError("--jobs must be a whole number from 1 to 1024.")
    }
  }
}
