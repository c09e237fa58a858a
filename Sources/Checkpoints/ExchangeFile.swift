internal import CHDF5
internal import Glibc
public import Networks
internal import Synchronization
internal import Tensors

/// Why a gradient or an update could not be written.
public struct ExchangeFileError: Error, Hashable, CustomStringConvertible {
  public let path: String
  /// What was found, what is needed and what to do.
  public let detail: String

  public var description: String { "\(path): \(detail)" }
}

/// A gradient or an update in this project's own layout, as `leakaudit schema` prints it.
///
/// Equal contents give equal bytes. Each tensor is stored in the format of its resolution.
public struct ExchangeFile: Sendable {
  /// A further attribute of the file, which tells people how it came about.
  public enum Attribute: Sendable {
    case text(String)
    case integer(Int)
    case number(Double)
  }

  public var kind: GradientRecord.Kind
  public var table: ParameterTable
  /// What the keys of the table are called.
  public var network: Network
  public var facts: ExchangeFacts
  /// By name; a reader passes over those it does not know.
  public var notes: [(name: String, value: Attribute)] = []

  public init(
    _ kind: GradientRecord.Kind, _ table: ParameterTable, of network: Network, facts: ExchangeFacts
  ) {
    self.kind = kind
    self.table = table
    self.network = network
    self.facts = facts
  }

  /// What a reader of the file would find, in the place of another file; `label` tells it from what
  /// that one holds.
  public func loaded(in place: LoadedFile, label: String) -> LoadedFile {
    let tensors = table.keys.compactMap { key in
      let path = path(of: key)
      return table[key.node, key.role].map { NamedTensor(path: path, name: path, tensor: $0) }
    }
    var loaded = place
    loaded.role = .gradient
    loaded.contents = Contents(format: LeakauditLayout.name, convention: table.convention)
    loaded.contents.facts = facts
    loaded.contents.gradients = [
      GradientRecord(label: label, kind: kind, tensors: tensors, facts: facts)
    ]
    return loaded
  }

  private func path(of key: ParameterTable.Key) -> String {
    "\(network.nodes[key.node].name)/\(key.role)"
  }
}

// MARK: - Writing

extension ExchangeFile {
  /// Writes the file beside its place and then moves it there, so that nobody sees half of it.
  ///
  /// - Throws: ``ExchangeFileError`` if there is such a file and it may not be replaced, or it cannot
  ///   be written.
  public func write(to path: String, replacing: Bool) throws(ExchangeFileError) {
    let partial = "\(path).\(getpid()).partial"
    try HDF5Library.turn.withLock { _ throws(ExchangeFileError) in
      do throws(ExchangeFileError) {
        try writeInTurn(partial, for: path)
      } catch {
        // Safe, here and below: strings outlive the calls.
        _ = unsafe unlink(partial)
        throw error
      }
    }
    defer { _ = unsafe unlink(partial) }
    // A link, unlike a rename, fails if somebody has taken the place meanwhile.
    if !replacing, unsafe link(partial, path) == 0 { return }
    if !replacing, errno == EEXIST { throw Self.exists(path) }
    // Some file systems have no links; whether something is there was the caller's question.
    guard unsafe rename(partial, path) == 0 else {
      throw ExchangeFileError(path: path, detail: Self.unwritable("it cannot take its place"))
    }
  }

  /// What is thrown if a file stands in the way.
  public static func exists(_ path: String) -> ExchangeFileError {
    ExchangeFileError(
      path: path,
      detail:
        "it exists; a new path is needed. Choose another --output, or replace it with --force.")
  }

  private static func unwritable(_ what: String) -> String {
    "\(what); a writable path is needed. Choose another --output."
  }

  private func writeInTurn(_ partial: String, for path: String) throws(ExchangeFileError) {
    guard let file = HDF5Writer.file(partial, mustBeNew: true) else {
      throw ExchangeFileError(path: path, detail: Self.unwritable("it cannot be created"))
    }
    guard writeAttributes(to: file.identifier), writeNotes(to: file.identifier) else {
      throw ExchangeFileError(path: path, detail: Self.unwritable("an attribute cannot be written"))
    }
    let group = kind == .gradient ? "gradients" : "update"
    for key in table.keys {
      guard let tensor = table[key.node, key.role] else { continue }
      let name = "\(group)/\(self.path(of: key))"
      guard
        HDF5Writer.numbers(
          name, tensor.elements(), tensor.shape, as: tensor.resolution, in: file.identifier)
      else {
        throw ExchangeFileError(
          path: path,
          detail: Self.unwritable("dataset '\(name)' cannot be written"))
      }
    }
    guard H5Fflush(file.identifier, H5F_SCOPE_GLOBAL) >= 0 else {
      throw ExchangeFileError(path: path, detail: Self.unwritable("it was only partly written"))
    }
  }

  private func writeAttributes(to file: hid_t) -> Bool {
    let convention =
      table.convention == .channelsFirst ? "channels_first" : "channels_last"
    return HDF5Writer.attribute("leakaudit_layout", 1, of: file)
      && HDF5Writer.attribute("convention", convention, of: file)
      && HDF5Writer.attribute("framework", "leakaudit simulate", of: file)
      && write("batch_size", facts.batchSize.map(Attribute.integer), to: file)
      && write("reduction", facts.reduction.map(Attribute.text), to: file)
      && write("loss", facts.loss.map(Attribute.text), to: file)
      && write("label_smoothing", facts.labelSmoothing.map(Attribute.number), to: file)
      && write("local_steps", facts.localSteps.map(Attribute.integer), to: file)
      && write("samples", facts.samples.map(Attribute.integer), to: file)
      && write("learning_rate", facts.learningRate.map(Attribute.number), to: file)
      && write("training_mode", facts.isTrainingMode.map { .integer($0 ? 1 : 0) }, to: file)
  }

  private func writeNotes(to file: hid_t) -> Bool {
    notes.allSatisfy { write($0.name, $0.value, to: file) }
  }

  private func write(_ name: String, _ value: Attribute?, to file: hid_t) -> Bool {
    switch value {
    case nil: true
    case .text(let text): HDF5Writer.attribute(name, text, of: file)
    case .integer(let number): HDF5Writer.attribute(name, number, of: file)
    case .number(let number): HDF5Writer.attribute(name, number, of: file)
    }
  }
}
