internal import AuditModel
internal import Checkpoints

/// A file that points outside of itself.
package enum FileHazard {
  package static let identifier = "file-points-outside"
  package static let title = "The file tries to make its reader open another file"
  package static let rationale = """
    HDF5 files can contain external links, external storage and virtual datasets. A library that \
    follows them opens files of the reader's machine under the reader's rights. Checkpoints have no \
    use for them. They are never followed here.
    """

  static func reason(_ hazard: Container.Hazard) -> String {
    switch hazard.kind {
    case .externalLink: "an external link to '\(hazard.target)'; it was not followed"
    case .externalStorage: "its values lie in '\(hazard.target)'; that file was not opened"
    case .virtualDataset: "a virtual dataset over '\(hazard.target)'; that file was not opened"
    case .userDefinedLink: "a user-defined link, which would need code; it was not followed"
    }
  }

  static func finding(_ hazard: Container.Hazard, artifact: String) -> Finding {
    Finding(
      id: identifier, severity: .high, evidence: .structural, access: .opening,
      artifact: artifact, layer: nil,
      message: "'\(hazard.path)' is \(reason(hazard)).",
      measurements: [.init("kind", hazard.kind.rawValue)],
      preconditions: ["The file is opened by a reader that follows such references."],
      remedy: "Ask where the file comes from, and export the model again from its source.",
      remedyEffect: "A checkpoint written by Keras, PyTorch or Flax contains none of these.")
  }
}
