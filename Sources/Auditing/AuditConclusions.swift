internal import Attacks
internal import AuditModel
internal import Checkpoints
internal import Networks
internal import Rules

extension Audit {
  mutating func conclude(
    _ file: LoadedFile, _ model: BoundModel,
    _ results: [(observation: Observation, knowledge: Knowledge)], truth: Truth?
  ) {
    hasSubject = true
    let name = name(of: file.path)
    let statics = StaticFindings(
      artifact: name, model: model, optimizer: file.contents.optimizer?.summary,
      reference: reference(), results: results, request: request)
    findings += statics.all
    skipped += statics.passedOver + statics.comparison.skipped
    preflight += statics.comparison.drifts
    var readings: [ChainReading] = []
    let isAlone = results.count { $0.observation.isExchanged } <= 1
    for (observation, knowledge) in results {
      func recovered(_ recovery: Knowledge.Recovery, isModelInput: Bool) -> RecoveredSamples {
        RecoveredSamples(
          recovery, observation: observation, isModelInput: isModelInput, artifact: name,
          isAlone: isAlone, scale: request.inputScale, backend: request.backend)
      }
      let statements = KnowledgeFindings(
        knowledge: knowledge, observation: observation, artifact: name)
      findings += statements.all
      for var check in knowledge.preflight {
        check.artifact = name
        preflight.append(check)
      }
      if let found = knowledge.labels { labels.append(found) }
      if var chain = knowledge.chain {
        chain.artifact = name
        chain.withheld = knowledge.withheld.map { estimate in
          .init(
            predictedError: estimate.predictedError,
            quality: recovered(estimate, isModelInput: true).summary(truth: truth).quality)
        }
        readings.append(
          ChainReading(
            chain, network: observation.network, isObserved: true,
            isTrainingMode: observation.isTrainingMode, recovered: knowledge.wholeAndProven))
      }
      conclude(knowledge, observation, artifact: name, truth: truth, isAlone: isAlone)
      for node in knowledge.recoveries.keys.sorted() {
        guard let recovery = knowledge.recoveries[node] else { continue }
        let isInput = statements.isModelInput(node)
        let entry = recovered(recovery, isModelInput: isInput)
        recoveries.append(entry.summary(truth: truth))
        if isInput { samples.append(entry) }
      }
    }
    let isObserved = results.contains { $0.observation.source == .gradient }
    if !isObserved, let chain = invertibility(of: model, artifact: name) {
      let reading = ChainReading(chain, network: model.network, isObserved: false)
      readings.append(reading)
      findings += reading.structuralFinding.map { [$0] } ?? []
    }
    chains += readings
    let rows = LayerTable(model: model, artifact: name, results: results, chains: readings).rows
    layers += rows
    for row in rows where row.leak == .notAnalysed {
      skipped.append(Skipped(artifact: name, what: "layer \(row.name)", why: row.reason))
    }
    for tensor in model.leftOver where tensor.role.isTrainable {
      skipped.append(
        Skipped(artifact: name, what: tensor.path, why: "it fits no layer of the architecture"))
    }
    let unsettled = rows.contains { $0.leak == .notAnalysed || $0.leak == .inconclusive }
    let isStatePartlyRead =
      file.contents.optimizer.map { $0.slots.contains { $0.slot == .other } } ?? false
    if unsettled || !model.leftOver.isEmpty || isStatePartlyRead || !statics.passedOver.isEmpty
      || statics.comparison.isIncomplete
    {
      isIncomplete = true
    }
  }

  /// What the models should be, if that was stated and could be read.
  private mutating func reference() -> Reference? {
    guard let input = input(.reference), let file = input.file else { return nil }
    do throws(CheckpointError) {
      guard let model = try BoundModel(file), !model.weights.tensors.isEmpty else {
        throw CheckpointError(.nothingInside(detail: "it holds no weights"), file: file.path)
      }
      return Reference(artifact: input.name, network: model.network, parameters: model.weights)
    } catch {
      skipped.append(Skipped(artifact: input.name, what: "file", why: error.explanation))
      isIncomplete = true
      return nil
    }
  }

  func report() -> AuditReport {
    let summaries = inputs.map { input in
      InputSummary(
        path: input.name, sha256: input.byteCount > 0 ? loader.digest(of: input.path) : nil,
        format: input.file?.contents.format ?? "unreadable", role: input.role.rawValue,
        byteCount: input.byteCount)
    }
    let (counting, policy) = request.policy.applied(to: findings, failOn: request.failOn)
    let verdict = Verdict(
      findings: counting, suppressed: policy.suppressed.map(\.finding), recoveries: recoveries,
      chains: chains, labels: labels, layers: layers,
      failOn: request.failOn, hasSubject: hasSubject, isIncomplete: isIncomplete)
    return AuditReport(
      toolVersion: request.toolVersion, command: request.command,
      verdict: verdict.sentence, attackerGets: verdict.attackerGets,
      exitCode: Int(verdict.status.rawValue), findings: counting, layers: layers,
      recoveries: recoveries, chains: chains.map(\.chain), inversions: inversions,
      labels: labels.first(where: \.exact) ?? labels.first,
      preflight: preflight, skipped: skipped + request.disabledRules,
      inputs: summaries + request.policyFiles, policy: policy,
      rules: Set(findings.map(\.id)).sorted().compactMap(Explanation.description))
  }
}

extension Knowledge {
  /// The nodes whose input is known entirely, for the only sample there is.
  fileprivate var wholeAndProven: Set<Int> {
    Set(
      recoveries.values.filter { recovery in
        recovery.isProven && recovery.isDetermined == nil && recovery.units.isEmpty
          && recovery.samples.count == 1
      }.map(\.node))
  }
}
