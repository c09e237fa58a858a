package import Attacks
package import AuditModel
internal import Networks

/// What the attacks found out, as statements for a report.
package struct KnowledgeFindings {
  let knowledge: Knowledge
  let observation: Observation
  let artifact: String

  package init(knowledge: Knowledge, observation: Observation, artifact: String) {
    self.knowledge = knowledge
    self.observation = observation
    self.artifact = artifact
  }

  package var all: [Finding] {
    let recovered = knowledge.recoveries.keys.sorted().compactMap { knowledge.recoveries[$0] }
      .map(finding)
    let judged = knowledge.verdicts.keys.sorted().compactMap { node in
      knowledge.verdicts[node].flatMap { finding(node, $0) }
    }
    return recovered + judged + [knowledge.labels.map(finding), searchFinding].compactMap(\.self)
  }

  /// Optimiser state lies in the file that is audited; everything else was exchanged.
  var access: Access {
    observation.isExchanged ? .exchange : .files
  }

  /// Whether the layer's input is the model's own.
  package func isModelInput(_ node: Int) -> Bool {
    if observation.network.origin == .inferred {
      return observation.network.nodes[node].sources == [.input(0)]
    }
    return observation.affineFromInput(to: node) != nil
  }

  private func metadata(_ identifier: String) -> AttackMetadata {
    AttackCatalog.metadata(identifiedBy: identifier) ?? AttackCatalog.all[0].metadata
  }

  private func finding(_ recovery: Knowledge.Recovery) -> Finding {
    let isInput = isModelInput(recovery.node)
    let metadata = metadata(recovery.method)
    let severity: Severity =
      isInput ? (recovery.isProven ? .critical : .high) : recovery.isProven ? .medium : .low
    let name = observation.network.nodes[recovery.node].name
    let certificate = recovery.certificates.max() ?? 0
    var preconditions = recovery.preconditions
    if isInput, observation.network.origin == .inferred {
      preconditions.append(
        "Nothing but reshaping lies between the model's input and '\(name)'; the file does not "
          + "state the architecture.")
    }
    if isInput, observation.isTrainingMode == nil, hasNoise(before: recovery.node) {
      preconditions.append(
        "Dropout in front of '\(name)' was inactive; if it was active, the recovered input is the "
          + "thinned one: some entries zero, the others scaled.")
    }
    return Finding(
      id: metadata.identifier, severity: severity,
      evidence: recovery.isProven ? .proven : .empirical, access: access, artifact: artifact,
      layer: name,
      message: message(recovery, name: name, isInput: isInput), formula: metadata.formula,
      measurements: [
        .init("certificate (relative error of \(recovery.scope))", certificate.displayed)
      ] + recovery.measurements + [
        .init("predicted error per recovered value", recovery.predictedError.displayed)
      ],
      preconditions: preconditions, remedy: metadata.remedy, remedyEffect: metadata.remedyEffect,
      citations: metadata.sources)
  }

  /// Whether a layer that acts in training only lies between the model's input and the node.
  private func hasNoise(before node: Int) -> Bool {
    let chain = observation.network.chain(to: node) ?? []
    return chain.contains {
      observation.network.nodes[$0].layer.treatment == .unchangedAtInference
    }
  }

  private func message(_ recovery: Knowledge.Recovery, name: String, isInput: Bool) -> String {
    let width = recovery.samples.first?.count ?? 0
    let count = recovery.samples.count
    let determined = recovery.isDetermined?.count { $0 } ?? width
    let values = determined == width ? "All \(width)" : "\(determined) of \(width)"
    let what = isInput ? "input values" : "features that enter '\(name)'"
    let batch = observation.batchSize.map { $0 > count ? " of \($0)" : "" } ?? ""
    let samples = "\(count)\(batch) sample\(count == 1 && batch.isEmpty ? "" : "s")"
    let how = recovery.isProven ? "were read back" : "can be estimated"
    let by = isInput ? ", at layer '\(name)'" : ""
    return "\(values) \(what) of \(samples) \(how) from the \(observation.sourceName)\(by)."
  }

  private func finding(_ node: Int, _ verdict: Knowledge.Verdict) -> Finding? {
    let name = observation.network.nodes[node].name
    let layer = observation.network.nodes[node].layer
    let isEmbedding = layer is Embedding
    let metadata = metadata(
      isEmbedding
        ? "embedding-tokens"
        : !(layer is Dense)
          ? "cascade" : verdict.leak == .subspace ? "dense-chain" : "dense-input-inversion")
    let evidence: Evidence
    let severity: Severity
    switch verdict.leak {
    case .subspace: (evidence, severity) = (.structural, isModelInput(node) ? .high : .medium)
    case .partial: (evidence, severity) = (.structural, isEmbedding ? .high : .low)
    case .inconclusive: (evidence, severity) = (.inconclusive, .low)
    case .exact, .none, .notAnalysed: return nil
    }
    return Finding(
      id: metadata.identifier, severity: severity, evidence: evidence, access: access,
      artifact: artifact, layer: name, message: "'\(name)': \(verdict.reason).",
      formula: metadata.formula,
      measurements: verdict.measurements, preconditions: [],
      remedy: evidence == .inconclusive
        ? "Do not count this as safe: export the gradient again as the conditions ask, or audit the "
          + "model with a gradient of one sample." : metadata.remedy,
      remedyEffect: nil, citations: metadata.sources)
  }

  private func finding(_ labels: LabelSummary) -> Finding {
    let metadata = LabelText.metadata
    let classes = labels.present.map(String.init).joined(separator: ", ")
    let message =
      labels.exact
      ? "The \(observation.sourceName) tells the labels exactly: class\(labels.present.count == 1 ? "" : "es") \(classes)."
      : labels.present.isEmpty
        ? "The \(observation.sourceName) bounds the label counts, though no class is certain."
        : "The \(observation.sourceName) shows that class\(labels.present.count == 1 ? "" : "es") "
          + "\(classes) certainly occur\(labels.present.count == 1 ? "s" : "")"
          + (labels.counts == nil ? "." : "; the counts are estimates.")
    return Finding(
      id: metadata.identifier, severity: .medium, evidence: labels.exact ? .proven : .empirical,
      access: access, artifact: artifact,
      layer: observation.classifier.map { observation.network.nodes[$0].name },
      message: message, formula: metadata.formula,
      measurements: [.init("method", labels.method)],
      preconditions: ["Softmax cross-entropy, or one sigmoid output."], remedy: metadata.remedy,
      remedyEffect: metadata.remedyEffect, citations: metadata.sources)
  }
}

private enum LabelText {
  static var metadata: AttackMetadata {
    AttackCatalog.attack(identifiedBy: "label-inference")?.metadata
      ?? AttackCatalog.all[0].metadata
  }
}
