internal import Dispatch
internal import Networks
package import TensorIR

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Our side of the benchmark: answers one command after another, each a line of JSON.
package final class Session<B: Backend> {
  private struct Loaded {
    var workload: Workload
    var folder: String
    var precision: Precision
    var threads: Int
    var backend: B
    /// Restarts that are ready to run; the first is the one that is timed alone.
    var runs: [MatchingRun<B>]
  }

  private let reader: String
  private let backend: (_ threads: Int) -> B
  private let baselineMiB = ProcessMemory.peakMiB
  private var loaded: Loaded?

  /// - Parameters:
  ///   - reader: The executable that becomes the reading child; by default the running one.
  ///   - backend: Makes a backend that uses so many threads.
  package init(
    reader: String = "/proc/self/exe",
    backend: @escaping (_ threads: Int) -> B
  ) {
    self.reader = reader
    self.backend = backend
  }

  /// The answer to one line, without a line break; an error if the command cannot be followed.
  package func answer(_ line: String) -> String {
    var reply: Reply
    do throws(BenchmarkError) {
      guard let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) else {
        throw BenchmarkError("no command: \(line)")
      }
      reply = try follow(request)
    } catch {
      reply = Reply(error: error.description)
    }
    guard let text = try? JSONEncoder().encode(reply) else {
      return #"{"error":"a number of the answer is not finite"}"#
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func follow(_ request: Request) throws(BenchmarkError) -> Reply {
    switch request.command {
    case "load": try load(request)
    case "objective": try objective(request)
    case "iterate": try iterate(request)
    case "restarts": try restarts(request)
    case "plan": try plan(request)
    case "matmul-rate":
      Reply(
        gflops: try MatrixRate(size: request.need(\.size, "size"))
          .measure(on: backend(request.need(\.threads, "threads"))))
    case "memory": Reply(peakMiB: ProcessMemory.peakMiB, baselineMiB: baselineMiB)
    default: throw BenchmarkError("no such command: \(request.command)")
    }
  }
}

extension Session {
  private func load(_ request: Request) throws(BenchmarkError) -> Reply {
    let precision: Precision
    switch try request.need(\.precision, "precision") {
    case "float": precision = .single
    case "double": precision = .double
    default: throw BenchmarkError("a precision is float or double")
    }
    let workload = try Workload(
      request.need(\.workload, "workload"),
      totalVariation: request.need(\.totalVariation, "totalVariation"),
      learningRate: request.need(\.learningRate, "learningRate"))
    let folder = try request.need(\.folder, "folder")
    let threads = try request.need(\.threads, "threads")
    let backend = backend(threads)
    // What was loaded before goes first, so that the peak is that of one.
    loaded = nil
    let run = try MatchingRun(
      workload, from: Start(folder: folder, reader: reader), on: backend, in: precision)
    run.restart()
    for _ in 0..<3 { _ = try run.step() }
    loaded = Loaded(
      workload: workload, folder: folder, precision: precision, threads: threads,
      backend: backend, runs: [run])
    return Reply()
  }

  private func current() throws(BenchmarkError) -> Loaded {
    guard let loaded else { throw BenchmarkError("nothing is loaded; send load first") }
    return loaded
  }

  /// Writes the slope of the objective at the start as a file of raw numbers.
  private func objective(_ request: Request) throws(BenchmarkError) -> Reply {
    let loaded = try current()
    let output = try request.need(\.output, "output")
    let (value, slope) = try loaded.runs[0].objective()
    var data = Data()
    switch loaded.precision {
    // Safe: the bytes of the numbers are copied.
    case .single:
      unsafe slope.map(Float.init).withUnsafeBytes { unsafe data.append(contentsOf: $0) }
    case .double: unsafe slope.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
    }
    guard (try? data.write(to: URL(fileURLWithPath: output))) != nil else {
      throw BenchmarkError("\(output) cannot be written")
    }
    return Reply(objective: value)
  }

  private func iterate(_ request: Request) throws(BenchmarkError) -> Reply {
    let run = try current().runs[0]
    let clock = ContinuousClock()
    var objectives: [Double] = []
    var milliseconds: [Double] = []
    run.restart()
    for _ in 0..<(try request.need(\.iterations, "iterations")) {
      let before = clock.now
      objectives.append(try run.step())
      milliseconds.append((clock.now - before).milliseconds)
    }
    return Reply(objectives: objectives, milliseconds: .each(milliseconds))
  }

  /// Times restarts side by side, each on a thread of its own.
  private func restarts(_ request: Request) throws(BenchmarkError) -> Reply {
    var loaded = try current()
    let count = try request.need(\.count, "count")
    let iterations = try request.need(\.iterations, "iterations")
    guard loaded.threads == 1 else {
      throw BenchmarkError("restarts side by side have one thread each; load with 1")
    }
    while loaded.runs.count < count {
      let run = try MatchingRun(
        loaded.workload, from: Start(folder: loaded.folder, reader: reader), on: loaded.backend,
        in: loaded.precision)
      run.restart()
      _ = try run.step()
      loaded.runs.append(run)
    }
    self.loaded = loaded
    for run in loaded.runs.prefix(count) { run.restart() }
    // Safe: every thread runs a program of its own, and the call returns after all of them.
    nonisolated(unsafe) let runs = loaded.runs
    let failures = Failures()
    let clock = ContinuousClock()
    let before = clock.now
    DispatchQueue.concurrentPerform(iterations: count) { index in
      do throws(BenchmarkError) {
        for _ in 0..<iterations { _ = try unsafe runs[index].step() }
      } catch {
        failures.add(error)
      }
    }
    let elapsed = (clock.now - before).milliseconds
    if let error = failures.first { throw error }
    return Reply(milliseconds: .one(elapsed / Double(iterations)))
  }

  /// Times what lies between a network and its first iteration: derivatives and compilation.
  private func plan(_ request: Request) throws(BenchmarkError) -> Reply {
    let network = try Workload.planned(request.need(\.network, "network"))
    let backend = try backend(request.need(\.threads, "threads"))
    let clock = ContinuousClock()
    let before = clock.now
    _ = try MatchingRun<B>.compile(
      network, matching: Workload.matching(totalVariation: 1e-4), on: backend, in: .single)
    return Reply(milliseconds: .one((clock.now - before).milliseconds))
  }
}

extension Request {
  /// The argument of that name.
  func need<Value>(
    _ argument: KeyPath<Request, Value?>, _ name: String
  ) throws(BenchmarkError) -> Value {
    guard let value = self[keyPath: argument] else {
      throw BenchmarkError(missing: name, of: command)
    }
    return value
  }
}
