package import AuditModel
internal import CHDF5
internal import Glibc
internal import Synchronization
internal import Tensors

/// Why the states of searches could not be read or written.
package struct SearchStateError: Error, Hashable, CustomStringConvertible {
  package let path: String
  /// What was found, what is needed and what to do.
  package let detail: String

  package var description: String { "\(path): \(detail)" }
}

/// States of searches in an HDF5 file, so that they can go on in another run.
///
/// Layout: attribute `leakaudit_state` 1; a group `search_N` per search with the attribute `identity`;
/// in it a group `restart_N` per restart with counts as attributes and numbers as `float64` datasets.
/// Numbers are read back bit for bit.
package enum SearchStateFile {
  private static let version = 1

  /// - Returns: The restarts of each search by its identity; none if there is no such file.
  /// - Throws: ``SearchStateError`` if the file is something else.
  package static func read(
    _ path: String, with reader: CheckpointReader
  ) throws(SearchStateError) -> [String: [RestartState]] {
    let container: Container
    do throws(CheckpointError) {
      let file = try MappedFile(path: path)
      container = try reader.sandbox.read(file, range: 0..<file.count, path: path)
    } catch {
      if case .missing = error.reason { return [:] }
      throw SearchStateError(path: path, detail: error.explanation)
    }
    guard container.number("leakaudit_state") == Double(version) else {
      throw SearchStateError(
        path: path,
        detail:
          "it holds no states of searches; a new path, or a file that --state wrote, is needed. "
          + "Choose another --state.")
    }
    var searches: [String: [RestartState]] = [:]
    for search in container.names(in: "") {
      guard let identity = container.text("identity", of: search) else { continue }
      var restarts: [RestartState] = []
      for name in container.names(in: search) {
        guard let restart = RestartState("\(search)/\(name)", in: container) else {
          throw SearchStateError(
            path: path,
            detail:
              "'\(search)/\(name)' is damaged; a whole file is needed. Delete it to start anew.")
        }
        restarts.append(restart)
      }
      searches[identity] = restarts.sorted { $0.index < $1.index }
    }
    return searches
  }

  /// Replaces the file at once, so that nobody finds half of it.
  package static func write(
    _ searches: [String: [RestartState]], to path: String
  ) throws(SearchStateError) {
    let partial = path + ".partial"
    let isWritten = HDF5Library.turn.withLock { _ in write(searches, new: partial) }
    // Safe: strings outlive the calls.
    guard isWritten, unsafe rename(partial, path) == 0 else {
      _ = unsafe unlink(partial)
      throw SearchStateError(
        path: path,
        detail: "it cannot be written; a writable path is needed. Choose another --state.")
    }
  }

  private static func write(_ searches: [String: [RestartState]], new path: String) -> Bool {
    guard let file = HDF5Writer.file(path),
      HDF5Writer.attribute("leakaudit_state", version, of: file.identifier)
    else { return false }
    for (place, identity) in searches.keys.sorted().enumerated() {
      guard let group = HDF5Writer.group("search_\(place)", in: file.identifier),
        HDF5Writer.attribute("identity", identity, of: group.identifier),
        (searches[identity] ?? []).allSatisfy({ write($0, in: group.identifier) })
      else { return false }
    }
    return H5Fflush(file.identifier, H5F_SCOPE_GLOBAL) >= 0
  }

  private static func write(_ restart: RestartState, in search: hid_t) -> Bool {
    guard let group = HDF5Writer.group("restart_\(restart.index)", in: search) else { return false }
    let counts = [
      ("index", restart.index), ("iteration", restart.iteration),
      ("abandoned", restart.isAbandoned ? 1 : 0), ("converged", restart.isConverged ? 1 : 0),
    ]
    let curve = restart.curve.flatMap { [Double($0.iteration), $0.objective] }
    let lists =
      [("objective", [restart.objective]), ("curve", curve)]
      + restart.vectors.keys.sorted().map { ("vector_" + $0, restart.vectors[$0] ?? []) }
    return counts.allSatisfy { HDF5Writer.attribute($0.0, $0.1, of: group.identifier) }
      && lists.allSatisfy { name, values in
        values.isEmpty
          || HDF5Writer.numbers(name, values, [values.count], as: .float64, in: group.identifier)
      }
  }
}

extension RestartState {
  /// The restart that a group holds; `nil` if something is missing or makes no sense.
  fileprivate init?(_ path: String, in container: Container) {
    func count(_ name: String) -> Int? {
      container.number(name, of: path).flatMap { Int(exactly: $0) }
    }
    guard let index = count("index"), let iteration = count("iteration"),
      let isAbandoned = count("abandoned"), let isConverged = count("converged"),
      let objective = container.tensor(path + "/objective")?.elements().first
    else { return nil }
    let prefix = path + "/vector_"
    var vectors: [String: [Double]] = [:]
    for dataset in container.datasetPaths where dataset.hasPrefix(prefix) {
      guard let tensor = container.tensor(dataset) else { return nil }
      vectors[String(dataset.dropFirst(prefix.count))] = tensor.elements()
    }
    self.init(index: index, vectors: vectors)
    self.iteration = iteration
    self.isAbandoned = isAbandoned == 1
    self.isConverged = isConverged == 1
    self.objective = objective
    let curve = container.tensor(path + "/curve")?.elements() ?? []
    guard curve.count.isMultiple(of: 2) else { return nil }
    for place in stride(from: 0, to: curve.count, by: 2) {
      guard let iteration = Int(exactly: curve[place]) else { return nil }
      self.curve.append(.init(iteration: iteration, objective: curve[place + 1]))
    }
  }
}
