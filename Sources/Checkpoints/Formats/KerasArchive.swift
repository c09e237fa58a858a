/// A `.keras` archive: `config.json` and `model.weights.h5`, stored in a ZIP file.
///
/// The reader has already opened the weights inside the archive; what is left is to name the format.
struct KerasArchive: CheckpointFormat {
  static let name = "keras-archive"

  func recognises(_ file: ParsedFile) -> Bool { file.isArchive }

  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    var contents = try KerasWeightsH5().read(file)
    contents.format = Self.name
    return contents
  }
}
