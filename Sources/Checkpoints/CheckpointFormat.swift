internal import Networks

/// What a caller wants a file for; decides what bare tensors are.
public enum FileRole: String, Sendable {
  case model, reference, gradient, before, after, truth
  /// Samples that a search starts from.
  case start

  /// Whether the file holds samples rather than anything of a model.
  var isOfSamples: Bool { self == .truth || self == .start }
}

/// A file after parsing, before anybody knows what it means.
package struct ParsedFile {
  package var path: String
  package var role: FileRole
  package var container: Container
  /// The configuration beside the container: `config.json` of an archive or of a sibling file.
  package var configuration: String?
  /// Whether the container is a member of a `.keras` archive.
  package var isArchive = false

  package init(
    path: String, role: FileRole, container: Container, configuration: String? = nil,
    isArchive: Bool = false
  ) {
    self.path = path
    self.role = role
    self.container = container
    self.configuration = configuration
    self.isArchive = isArchive
  }
}

/// A layout of checkpoints or gradients; one conformance per file in `Formats/`.
package protocol CheckpointFormat: Sendable {
  /// The name in reports.
  static var name: String { get }
  init()
  /// Whether the content, never the file name, is in this layout.
  func recognises(_ file: ParsedFile) -> Bool
  /// - Throws: ``CheckpointError`` if the content contradicts the layout.
  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents
}

/// Every layout, most specific first; the last one takes whatever is left.
///
/// A test fails if a file in `Formats/` is missing here.
package enum FormatCatalog {
  package static let all: [any CheckpointFormat.Type] = [
    LeakauditLayout.self,
    KerasArchive.self,
    KerasLegacyH5.self,
    KerasWeightsH5.self,
    TensorDump.self,
  ]

  package static func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    for type in all {
      let format = type.init()
      guard format.recognises(file) else { continue }
      var contents = try Self.read(file, as: format)
      contents.hazards += file.container.hazards
      contents.omissions += file.container.omissions
      return contents
    }
    throw CheckpointError(.nothingInside(detail: "no known layout"), file: file.path)
  }

  /// A file is empty only if all of it could be looked at.
  private static func read(
    _ file: ParsedFile, as format: any CheckpointFormat
  ) throws(CheckpointError) -> Contents {
    do throws(CheckpointError) {
      return try format.read(file)
    } catch {
      guard case .nothingInside = error.reason, let lost = file.container.omissions.first else {
        throw error
      }
      let place = lost.path.isEmpty ? "the root group" : "'\(lost.path)'"
      let detail = "\(place) was passed over (\(lost.reason)), and the rest holds no weights"
      throw CheckpointError(.damaged(detail: detail), file: file.path)
    }
  }
}
