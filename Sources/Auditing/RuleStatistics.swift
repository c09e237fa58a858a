package import Checkpoints
internal import AuditModel
internal import Networks
internal import Reports
internal import Rules

/// What every rule measures and finds on a file, for `leakaudit inspect --rules` and for calibration.
package enum RuleStatistics {
  /// Lines of rule, threshold, its value, layer and measured value, with tabs between; a finding is a
  /// line with `found` for the threshold and the layer.
  ///
  /// Names from the file are made harmless; numbers are not rounded.
  ///
  /// - Throws: ``CheckpointError`` if the file cannot be read or its parts contradict each other.
  package static func text(
    of path: String, reader: CheckpointReader
  ) throws(CheckpointError) -> String {
    let file = try reader.read(path, as: .model)
    guard let model = try BoundModel(file) else {
      throw CheckpointError(.nothingInside(detail: "it holds no parameters"), file: path)
    }
    let subject = Subject(
      artifact: DisplayedPath.of(path), network: model.network,
      parameters: model.weights.tensors.isEmpty ? nil : model.weights,
      optimizer: file.contents.optimizer?.summary, batchSize: file.contents.facts.batchSize)
    var text = "rule\tthreshold\tstandard\tlayer\tmeasured\n"
    for statistic in RuleCatalog.statistics(in: subject) {
      let threshold = RuleCatalog.rule(identifiedBy: statistic.rule)?.metadata.thresholds
        .first { $0.name == statistic.threshold }
      text +=
        "\(statistic.rule)\t\(statistic.threshold)\t\(threshold?.standard ?? .nan)\t"
        + "\(statistic.layer.map { Escaped.terminal($0) } ?? "")\t\(statistic.value)\n"
    }
    for finding in RuleCatalog.findings(in: subject) {
      text += "\(finding.id)\tfound\t\t\(finding.layer.map { Escaped.terminal($0) } ?? "")\t\n"
    }
    return text
  }
}
