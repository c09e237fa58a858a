internal import Attacks
internal import AuditModel
internal import Checkpoints
internal import Networks

extension Audit {
  /// Audits one checkpoint, with a gradient from another file if there is one.
  mutating func audit(_ file: LoadedFile, gradient: LoadedFile?, truth: Truth?) {
    let name = name(of: file.path)
    request.progress("auditing \(name)")
    attempt(name) { (audit: inout Audit) throws(CheckpointError) in
      let architecture = file.contents.architecture ?? gradient?.contents.architecture
      guard let model = try BoundModel(file, architecture: architecture) else { return }
      let builder = ObservationBuilder(model: model, request: audit.request)
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
  mutating func auditPair(architecture: LoadedInput?, truth: Truth?) {
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
      let builder = ObservationBuilder(model: model, request: audit.request)
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
      results.append((observation, attack(observation)))
    }
    return results
  }

  private func examine(
    _ observation: Observation, artifact: String
  ) -> (observation: Observation, knowledge: Knowledge) {
    var knowledge = attack(observation)
    knowledge.preflight = PreflightCatalog.run(on: observation) + knowledge.preflight
    return (observation, knowledge)
  }

  private func attack(_ observation: Observation) -> Knowledge {
    request.progress("attacking the \(observation.sourceName)")
    return AttackCatalog.run(
      on: observation, backend: request.backend, timeLimit: request.timeLimit,
      inversion: inversionControl(for: observation), progress: request.progress)
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
