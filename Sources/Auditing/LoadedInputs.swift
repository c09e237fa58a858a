internal import AuditModel
internal import Checkpoints
internal import Dispatch

/// One file to read.
struct InputRequest: Sendable {
  var path: String
  var role: FileRole
  /// The path that reports show.
  var name: String
}

/// One file after reading, or why it could not be read, and its digest.
struct LoadedInput: Sendable {
  var path: String
  var role: FileRole
  var result: Result<LoadedFile, CheckpointError>
  var byteCount: Int
  /// The path that reports show.
  var name: String

  var file: LoadedFile? { try? result.get() }

  var error: CheckpointError? {
    if case .failure(let error) = result { error } else { nil }
  }
}

/// Reads files side by side and computes their digests in the background.
final class InputLoader: Sendable {
  private let reader: CheckpointReader
  private let digests = Digests()

  init(reader: CheckpointReader) { self.reader = reader }

  /// Reads the files; the order of the result is that of `requests`.
  func load(_ requests: [InputRequest]) -> [LoadedInput] {
    let slots = Slots(count: requests.count)
    DispatchQueue.concurrentPerform(iterations: requests.count) { index in
      slots.set(index, read(requests[index]))
    }
    return slots.values
  }

  private func read(_ request: InputRequest) -> LoadedInput {
    let (path, role) = (request.path, request.role)
    do throws(CheckpointError) {
      let file = try MappedFile(path: path)
      digests.start(path, file)
      let result = Result { () throws(CheckpointError) -> LoadedFile in
        try reader.read(file, path: path, as: role)
      }
      return LoadedInput(
        path: path, role: role, result: result, byteCount: file.count,
        name: request.name)
    } catch {
      return LoadedInput(
        path: path, role: role, result: .failure(error), byteCount: 0, name: request.name)
    }
  }

  /// Waits for the digest of a file that was loaded.
  func digest(of path: String) -> String? { digests.value(path) }
}

/// Results of parallel work, one slot per task.
private final class Slots: @unchecked Sendable {
  // Safe: every task writes under the lock, and the values are read after all tasks.
  private let lock = DispatchSemaphore(value: 1)
  private var slots: [LoadedInput?]

  init(count: Int) { slots = Array(repeating: nil, count: count) }

  func set(_ index: Int, _ value: LoadedInput) {
    lock.wait()
    slots[index] = value
    lock.signal()
  }

  var values: [LoadedInput] { slots.compactMap { $0 } }
}

/// SHA-256 digests that are computed while the audit goes on.
private final class Digests: @unchecked Sendable {
  // Safe: the dictionary is only touched under the lock.
  private let lock = DispatchSemaphore(value: 1)
  private let group = DispatchGroup()
  private var values: [String: String] = [:]

  func start(_ path: String, _ file: MappedFile) {
    DispatchQueue.global().async(group: group) { [self] in
      let digest = file.sha256()
      lock.wait()
      values[path] = digest
      lock.signal()
    }
  }

  func value(_ path: String) -> String? {
    group.wait()
    lock.wait()
    defer { lock.signal() }
    return values[path]
  }
}
