import Foundation
import Glibc
import Synchronization
import Testing

/// The built executable, run as a person or a build server runs it.
enum Tool {
  /// What one run left behind.
  struct Outcome {
    var code: Int32
    var output: Data
    var error: Data
    /// The signal that ended the process, if one did.
    var signal: Int32?

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: error, as: UTF8.self) }
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The root of the package, where relative paths in tests start.
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The executable in the build folder of the running test bundle.
  static let executable = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "leakaudit")

  /// Runs the tool and waits for its end.
  ///
  /// - Parameters:
  ///   - arguments: everything behind the name of the tool.
  ///   - directory: where it runs; the root of the package if none is given.
  ///   - environment: added to a small fixed environment.
  ///   - seconds: after which the run is killed and the test fails.
  /// - Returns: what it wrote, and how it ended.
  /// - Throws: ``Failure`` if it was still running after `seconds`.
  static func run(
    _ arguments: [String], in directory: URL = root, environment: [String: String] = [:],
    within seconds: Int = 60
  ) throws -> Outcome {
    try run(executable, arguments, in: directory, environment: environment, within: seconds)
  }

  /// Runs any program the same way.
  static func run(
    _ program: URL, _ arguments: [String], in directory: URL, environment: [String: String],
    within seconds: Int
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = directory
    let inherited = ProcessInfo.processInfo.environment
      .filter { ["PATH", "HOME", "LLVM_PROFILE_FILE"].contains($0.key) }
    // Tests run side by side: threads that spin while they wait would take the processor from others.
    let own = ["GOMP_SPINCOUNT": "0"].merging(environment) { $1 }
    process.environment = inherited.merging(own) { $1 }
    process.standardInput = FileHandle.nullDevice
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()

    let isLate = Mutex(false)
    let watchdog = DispatchWorkItem {
      isLate.withLock { $0 = true }
      kill(process.processIdentifier, SIGKILL)
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: watchdog)
    // Both pipes are drained at once, or a full one would stop the tool.
    let errorText = Mutex(Data())
    let reading = DispatchGroup()
    DispatchQueue.global().async(group: reading) {
      let data = error.fileHandleForReading.readDataToEndOfFile()
      errorText.withLock { $0 = data }
    }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    reading.wait()
    process.waitUntilExit()
    watchdog.cancel()
    guard !isLate.withLock({ $0 }) else {
      throw Failure(
        description: "\(arguments.joined(separator: " ")): still running after \(seconds) s")
    }
    let wasKilled = process.terminationReason == .uncaughtSignal
    return Outcome(
      code: process.terminationStatus, output: text, error: errorText.withLock { $0 },
      signal: wasKilled ? process.terminationStatus : nil)
  }

  /// Calls `body` with a fresh directory and removes it afterwards.
  static func withDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "leakaudit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// The path of a file of the hostile corpus, relative to the root.
  static func hostile(_ name: String) -> String { "Tests/Fixtures/hostile/files/\(name)" }

  static func copy(_ path: String, to folder: URL, as name: String? = nil) throws {
    let source = root.appending(path: path)
    try FileManager.default.copyItem(
      at: source, to: folder.appending(path: name ?? source.lastPathComponent))
  }

  /// The names in a folder, sorted, without the profiles that a build for coverage leaves anywhere.
  static func contents(of folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { !$0.hasSuffix(".profraw") }.sorted()
  }
}

/// The examples in `Models/`, as arguments.
enum Example {
  static let gradient = ["audit", "Models/mlp.h5", "--gradient", "Models/mlp_gradient.h5"]
  static let update = [
    "audit", "--before", "Models/update_before.h5", "--after", "Models/update_after.h5",
  ]
  static let optimizer = ["audit", "Models/adam_one_step.h5"]
  static let control = ["audit", "Models/cnn_without_dense.h5"]
  static let convolutions = ["audit", "--gradient", "Models/lenet_gradient.h5"]
  /// A sound file in which nothing reaches severity high.
  static let clean = ["audit", "Models/mlp.h5", "--fail-on", "critical"]
}
