internal import Attacks
package import AuditModel
internal import Checkpoints
internal import Networks

/// One run: reads the inputs, asks rules and attacks, and collects what a report says.
package struct Audit {
  private let request: AuditRequest
  private let loader: InputLoader
  private var findings: [Finding] = []
  private var layers: [LayerSummary] = []
  private var recoveries: [RecoverySummary] = []
  private var labels: [LabelSummary] = []
  private var preflight: [PreflightCheck] = []
  private var skipped: [Skipped] = []
  private var inputs: [LoadedInput] = []
  private var samples: [RecoveredSamples] = []
  /// Whether something was audited, and whether something could not be.
  private var hasSubject = false
  private var isIncomplete = false

  private init(_ request: AuditRequest) {
    self.request = request
    loader = InputLoader(reader: request.reader)
  }

  /// Runs the audit and writes recovered samples where the request asks for it.
  ///
  /// - Throws: ``RecoveredSaveError`` if they could not be written.
  package static func run(_ request: AuditRequest) throws(RecoveredSaveError) -> AuditReport {
    var audit = Audit(request)
    audit.auditAll()
    if let directory = request.recoveredDirectory {
      try RecoveredSamples.save(audit.samples, in: directory)
    }
    return audit.report()
  }

  private mutating func auditAll() {
    var requests: [InputRequest] = []
    for model in request.models {
      switch InputDiscovery.expand(model) {
      case .file(let path):
        requests.append(InputRequest(path: path, role: .model, name: DisplayedPath.of(path)))
      case .directory(let found, let isComplete):
        requests += found.map {
          InputRequest(path: $0, role: .model, name: DisplayedPath.of($0, below: model))
        }
        if found.isEmpty || !isComplete {
          isIncomplete = isIncomplete || !isComplete
          skipped.append(
            Skipped(
              artifact: DisplayedPath.of(model), what: "directory",
              why: isComplete ? "no checkpoint in it" : "too large to be searched completely"))
        }
      }
    }
    let others: [(String?, FileRole)] = [
      (request.gradient, .gradient), (request.before, .before), (request.after, .after),
      (request.truth, .truth),
    ]
    requests += others.compactMap { path, role in
      path.map { InputRequest(path: $0, role: role, name: DisplayedPath.of($0)) }
    }
    request.progress("reading \(requests.count) file\(requests.count == 1 ? "" : "s")")
    inputs = loader.load(requests)
    for input in inputs { note(input) }
    let truth = input(.truth)?.file?.contents.truth
    let models = inputs.filter { $0.role == .model && $0.error == nil }
    if request.before != nil {
      auditPair(architecture: models.first, truth: truth)
    } else if let gradient = input(.gradient) {
      if let file = gradient.file {
        audit(models.first?.file ?? file, gradient: file, truth: truth)
      }
      for model in models.dropFirst() { model.file.map { audit($0, gradient: nil, truth: nil) } }
    } else {
      for model in models { model.file.map { audit($0, gradient: nil, truth: truth) } }
    }
  }

  /// The path that reports show for a file that was read.
  private func name(of path: String) -> String {
    inputs.first { $0.path == path }?.name ?? DisplayedPath.of(path)
  }

  private func input(_ role: FileRole) -> LoadedInput? { inputs.first { $0.role == role } }

  /// Records what a file withholds, whatever it is used for.
  private mutating func note(_ input: LoadedInput) {
    if let error = input.error {
      skipped.append(Skipped(artifact: input.name, what: "file", why: error.explanation))
      if case .nothingInside = error.reason, input.role == .model { return }
      isIncomplete = true
      return
    }
    guard let contents = input.file?.contents else { return }
    for omission in contents.omissions {
      skipped.append(Skipped(artifact: input.name, what: omission.path, why: omission.reason))
      isIncomplete = true
    }
    for hazard in contents.hazards {
      findings.append(FileHazard.finding(hazard, artifact: input.name))
      skipped.append(
        Skipped(artifact: input.name, what: hazard.path, why: FileHazard.reason(hazard)))
      isIncomplete = true
    }
  }
}

// MARK: - One subject

extension Audit {
  /// Audits one checkpoint, with a gradient from another file if there is one.
  private mutating func audit(_ file: LoadedFile, gradient: LoadedFile?, truth: Truth?) {
    let name = name(of: file.path)
    request.progress("auditing \(name)")
    attempt(name) { (audit: inout Audit) throws(CheckpointError) in
      let architecture = file.contents.architecture ?? gradient?.contents.architecture
      guard let model = try BoundModel(file, architecture: architecture) else { return }
      let builder = ObservationBuilder(model: model, batchSize: audit.request.batchSize)
      var results: [(observation: Observation, knowledge: Knowledge)] = []
      let source = gradient ?? file
      let records = source.contents.gradients
      if gradient != nil, records.isEmpty {
        throw CheckpointError(
          .nothingInside(detail: "it was given as a gradient but holds none"), file: source.path)
      }
      for record in records {
        let (observation, withoutName) = try builder.observation(
          of: record, in: source, named: audit.name(of: source.path), isOnly: records.count == 1)
        audit.preflight.append(
          Self.nameCheck(observation, withoutName, record.facts, artifact: name))
        results.append(audit.examine(observation, artifact: name))
      }
      results += try audit.optimizerResults(file, builder, artifact: name)
      audit.conclude(file, model, results, truth: truth ?? source.contents.truth)
    }
  }

  /// Audits the difference of two checkpoints.
  private mutating func auditPair(architecture: LoadedInput?, truth: Truth?) {
    guard let before = input(.before)?.file, let after = input(.after)?.file else { return }
    let name = name(of: after.path)
    request.progress("auditing the update to \(name)")
    attempt(name) { (audit: inout Audit) throws(CheckpointError) in
      let network =
        architecture?.file?.contents.architecture ?? before.contents.architecture
        ?? after.contents.architecture
      guard let model = try BoundModel(before, architecture: network) else {
        throw CheckpointError(.nothingInside(detail: "it holds no parameters"), file: before.path)
      }
      let bound = try model.bind(
        after.contents.parameters, convention: after.contents.convention, file: after.path)
      guard !bound.table.tensors.isEmpty, !model.weights.tensors.isEmpty else {
        throw CheckpointError(.nothingInside(detail: "it holds no parameters"), file: after.path)
      }
      let builder = ObservationBuilder(model: model, batchSize: audit.request.batchSize)
      let observation = builder.update(
        before: model.weights, after: bound.table,
        facts: after.contents.facts.completed(by: before.contents.facts),
        name: "\(audit.name(of: before.path)) → \(name)")
      audit.preflight.append(
        Self.nameCheck(
          observation, bound.withoutName + model.matchedWithoutName, after.contents.facts,
          artifact: name))
      var results = [audit.examine(observation, artifact: name)]
      results += try audit.optimizerResults(after, builder, artifact: name)
      audit.conclude(after, model, results, truth: truth)
    }
  }

  /// Turns an error inside one subject into a line of the report.
  private mutating func attempt(
    _ name: String, _ body: (inout Audit) throws(CheckpointError) -> Void
  ) {
    do throws(CheckpointError) {
      try body(&self)
    } catch {
      let place = self.name(of: error.file)
      skipped.append(
        Skipped(
          artifact: name, what: error.object.map { "\(place):\($0)" } ?? place,
          why: error.explanation))
      isIncomplete = true
    }
  }

  private mutating func optimizerResults(
    _ file: LoadedFile, _ builder: ObservationBuilder, artifact: String
  ) throws(CheckpointError) -> [(observation: Observation, knowledge: Knowledge)] {
    guard let state = file.contents.optimizer, state.steps != 0 else { return [] }
    var results: [(observation: Observation, knowledge: Knowledge)] = []
    for slot in state.summary.slots where slot.isLinearInGradients {
      let (observation, leftOver) = try builder.observation(
        of: state, slot: slot, in: file, named: artifact)
      if let first = leftOver.first {
        isIncomplete = true
        skipped.append(
          Skipped(
            artifact: artifact, what: first.path + (leftOver.count > 1 ? " and others" : ""),
            why:
              "\(leftOver.count) tensors of the \(slot.rawValue) fit no parameter, or more than one; "
              + "their names do not tell"))
      }
      results.append((observation, AttackCatalog.run(on: observation)))
    }
    return results
  }

  private func examine(
    _ observation: Observation, artifact: String
  ) -> (observation: Observation, knowledge: Knowledge) {
    request.progress("attacking the \(observation.sourceName)")
    var knowledge = AttackCatalog.run(on: observation)
    knowledge.preflight = PreflightCatalog.run(on: observation) + knowledge.preflight
    return (observation, knowledge)
  }

  private static func nameCheck(
    _ observation: Observation, _ withoutName: [String], _ facts: ExchangeFacts, artifact: String
  ) -> PreflightCheck {
    let count = observation.gradient.tensors.count
    var explanations: [String] = []
    if !withoutName.isEmpty {
      explanations.append(
        "Matched by shape or position, since the names do not tell: "
          + withoutName.prefix(5).joined(separator: ", "))
    }
    explanations += facts.problems.map { "Ignored: \($0)" }
    return PreflightCheck(
      artifact: artifact, check: "names and shapes of the gradient",
      status: explanations.isEmpty ? .ok : .warning, value: "\(count) tensors matched",
      explanation: explanations.isEmpty ? nil : explanations.joined(separator: ". ") + ".")
  }
}

// MARK: - Conclusions

extension Audit {
  private mutating func conclude(
    _ file: LoadedFile, _ model: BoundModel,
    _ results: [(observation: Observation, knowledge: Knowledge)], truth: Truth?
  ) {
    hasSubject = true
    let name = name(of: file.path)
    findings += StaticFindings.all(
      artifact: name, model: model, optimizer: file.contents.optimizer?.summary,
      hasGradient: !results.isEmpty)
    for (observation, knowledge) in results {
      let statements = KnowledgeFindings(
        knowledge: knowledge, observation: observation, artifact: name)
      findings += statements.all
      for var check in knowledge.preflight {
        check.artifact = name
        preflight.append(check)
      }
      if let found = knowledge.labels { labels.append(found) }
      for node in knowledge.recoveries.keys.sorted() {
        guard let recovery = knowledge.recoveries[node] else { continue }
        let isInput = statements.isModelInput(node)
        let entry = RecoveredSamples(
          recovery, observation: observation, isModelInput: isInput, artifact: name)
        recoveries.append(entry.summary(truth: truth))
        if isInput { samples.append(entry) }
      }
    }
    let rows = LayerTable(model: model, artifact: name, results: results).rows
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
    if unsettled || !model.leftOver.isEmpty || isStatePartlyRead { isIncomplete = true }
  }

  private func report() -> AuditReport {
    let summaries = inputs.map { input in
      InputSummary(
        path: input.name, sha256: input.byteCount > 0 ? loader.digest(of: input.path) : nil,
        format: input.file?.contents.format ?? "unreadable", role: input.role.rawValue,
        byteCount: input.byteCount)
    }
    let verdict = Verdict(
      findings: findings, recoveries: recoveries, labels: labels, layers: layers,
      failOn: request.failOn, hasSubject: hasSubject, isIncomplete: isIncomplete)
    return AuditReport(
      toolVersion: request.toolVersion, command: request.command,
      verdict: verdict.sentence, attackerGets: verdict.attackerGets,
      exitCode: Int(verdict.status.rawValue), findings: findings, layers: layers,
      recoveries: recoveries, labels: labels.first(where: \.exact) ?? labels.first,
      preflight: preflight, skipped: skipped, inputs: summaries)
  }
}
