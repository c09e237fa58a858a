internal import Attacks
internal import AuditModel
package import Checkpoints
internal import Reports
internal import Tensors

/// Why recovered samples could not be written.
package struct RecoveredSaveError: Error, CustomStringConvertible {
  package let description: String
}

extension RecoveredSamples {
  /// The most pairs of one picture; more would make it larger than a viewer shows.
  private static let comparedSamples = 256

  /// Writes `DIR/recovered.h5` and, for image-shaped inputs, one PNG per sample.
  ///
  /// - Parameters:
  ///   - entries: One for each source.
  ///   - directory: Made if it is missing.
  ///   - truth: With it, `comparison_N.png` shows originals beside what was recovered, one picture for
  ///     each source.
  /// - Throws: ``RecoveredSaveError`` if something could not be written.
  package static func save(
    _ entries: [RecoveredSamples], in directory: String, truth: Truth? = nil
  ) throws(RecoveredSaveError) {
    guard !entries.isEmpty else { return }
    do throws(RecoveredFileError) {
      try RecoveredFile.write(
        entries.enumerated().map { index, entry in
          entry.group(named: entries.count == 1 ? nil : "source_\(index)")
        }, in: directory)
    } catch {
      throw RecoveredSaveError(description: error.description)
    }
    for (index, entry) in entries.enumerated() {
      do throws(ReportWriteError) {
        try entry.savePictures(
          in: directory, prefix: entries.count == 1 ? "sample" : "source_\(index)_sample")
        if let truth {
          try entry.saveComparison(with: truth, to: "\(directory)/comparison_\(index).png")
        }
      } catch {
        throw RecoveredSaveError(description: error.description)
      }
    }
  }

  private func group(named name: String?) -> RecoveredFile.Group {
    RecoveredFile.Group(
      name: name, source: observation.sourceName, layer: layer,
      inputs: Tensor(inputs.flatMap { $0 }, shape: [inputs.count] + axes),
      labels: recovery.labels.map { $0 ?? -1 }, certificates: recovery.certificates,
      isProven: recovery.isProven, method: recovery.method, inputMean: scale?.mean,
      inputDeviation: scale?.deviation)
  }

  /// The layout of samples that a PNG can hold.
  private var drawable: PictureLayout? {
    picture.flatMap { [1, 3].contains($0.channels.count) ? $0 : nil }
  }

  private func savePictures(in directory: String, prefix: String) throws(ReportWriteError) {
    guard let layout = drawable else { return }
    for (index, sample) in inputs.enumerated() {
      _ = try PortableImage.write(shown(sample), layout, to: "\(directory)/\(prefix)_\(index).png")
    }
  }

  private func saveComparison(with truth: Truth, to path: String) throws(ReportWriteError) {
    guard let layout = drawable, let (samples, evaluation) = originals(truth),
      let assigned = evaluation.assignment(of: inputs)
    else { return }
    let pairs = zip(inputs, assigned).compactMap { sample, original in
      original.map { (original: shown(samples[$0]), recovered: shown(sample)) }
    }
    guard !pairs.isEmpty else { return }
    try ComparisonImage.write(Array(pairs.prefix(Self.comparedSamples)), layout, to: path)
  }
}
