internal import Synchronization

/// What went wrong on other threads.
final class Failures: Sendable {
  private let errors = Mutex<[BenchmarkError]>([])

  func add(_ error: BenchmarkError) { errors.withLock { $0.append(error) } }

  var first: BenchmarkError? { errors.withLock { $0.first } }
}
