internal import Networks
internal import Tensors

/// A file that was read, with what it means.
public struct LoadedFile: Sendable {
  /// The path as the user wrote it.
  public var path: String
  public var role: FileRole
  public var contents: Contents
  public var file: MappedFile
}

/// Opens files and finds out what they mean.
public struct CheckpointReader: Sendable {
  public var sandbox: SandboxedReader

  public init(sandbox: SandboxedReader) { self.sandbox = sandbox }

  /// Reads one checkpoint or gradient file.
  ///
  /// - Throws: ``CheckpointError`` if the file is not readable, not in a known layout, or empty of
  ///   anything to audit.
  public func read(_ path: String, as role: FileRole) throws(CheckpointError) -> LoadedFile {
    try read(MappedFile(path: path), path: path, as: role)
  }

  /// Reads a file that is already mapped.
  public func read(
    _ file: MappedFile, path: String, as role: FileRole
  ) throws(CheckpointError) -> LoadedFile {
    var parsed = ParsedFile(path: path, role: role, container: Container())
    switch Signature(of: file) {
    case .hdf5:
      parsed.container = try sandbox.read(file, range: 0..<file.count, path: path)
      if KerasWeightsH5().recognises(parsed) { parsed.configuration = sibling(of: path) }
    case .zip: try readArchive(file, into: &parsed)
    case .other(let bytes): throw CheckpointError(.unrecognised(signature: bytes), file: path)
    }
    let contents = try FormatCatalog.read(parsed)
    return LoadedFile(path: path, role: role, contents: contents, file: file)
  }

  /// Whether a file starts like something this project reads.
  public static func looksReadable(_ file: MappedFile) -> Bool {
    if case .other = Signature(of: file) { false } else { true }
  }

  private func readArchive(
    _ file: MappedFile, into parsed: inout ParsedFile
  ) throws(CheckpointError) {
    let path = parsed.path
    let archive: ZipArchive
    do throws(ZipArchive.Failure) {
      // Safe: the mapping outlives the archive's directory.
      archive = try unsafe ZipArchive(file.bytes)
    } catch {
      throw CheckpointError(.archive(detail: error.detail), file: path)
    }
    guard let weights = archive.member("model.weights.h5") else {
      throw CheckpointError(.archive(detail: "it has no member model.weights.h5"), file: path)
    }
    if let member = archive.member("config.json") {
      guard member.range.count <= JSONValue.byteLimit, let bytes = file.copy(member.range) else {
        throw CheckpointError(.archive(detail: "config.json is too large"), file: path)
      }
      parsed.configuration = String(untrusted: bytes)
    }
    parsed.isArchive = true
    parsed.container = try sandbox.read(file, range: weights.range, path: path)
  }

  /// The configuration of a `.keras` or `.h5` file with the same stem beside a weights file.
  ///
  /// The only case in which a file that was not named is looked at; `Documentation/Formats.md` says so.
  private func sibling(of path: String) -> String? {
    guard path.hasSuffix(".weights.h5") else { return nil }
    let stem = path.dropLast(".weights.h5".count)
    if let file = try? MappedFile(path: stem + ".keras"),
      let archive = try? unsafe ZipArchive(file.bytes),
      let member = archive.member("config.json"), member.range.count <= JSONValue.byteLimit
    {
      return file.copy(member.range).map { String(untrusted: $0) }
    }
    if let file = try? MappedFile(path: stem + ".h5"), case .hdf5 = Signature(of: file),
      let container = try? sandbox.read(file, range: 0..<file.count, path: stem + ".h5")
    {
      return container.text("model_config")
    }
    guard let file = try? MappedFile(path: stem + ".json"), file.count <= JSONValue.byteLimit else {
      return nil
    }
    return file.copy(0..<file.count).map { String(untrusted: $0) }
  }
}

/// What a file's first bytes say.
private enum Signature {
  case hdf5, zip
  case other(String)

  /// HDF5 allows a user block of 512 · 2ⁿ bytes in front of its signature.
  init(of file: MappedFile) {
    let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    let start = file.copy(0..<min(8, file.count)) ?? []
    if start == hdf5 {
      self = .hdf5
      return
    }
    if start.starts(with: [0x50, 0x4b, 0x03, 0x04]) || start.starts(with: [0x50, 0x4b, 0x05, 0x06])
    {
      self = .zip
      return
    }
    var offset = 512
    while offset + 8 <= file.count, offset <= 1 << 30 {
      if file.copy(offset..<(offset + 8)) == hdf5 {
        self = .hdf5
        return
      }
      offset *= 2
    }
    self = .other(
      start.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " "))
  }
}
