internal import AuditModel
internal import Networks

/// Flags optimiser state that is linear in the gradients of past steps.
///
/// Twenty steps divide `medium` from `low`: an exponential mean with β = 0.9 has the variance of a
/// plain mean of (1 + β) / (1 − β) = 19 values, so more steps mix no more gradients into the slot.
struct OptimizerState: Rule {
  static let metadata = RuleMetadata(
    identifier: "optimizer-state",
    title: "The file carries optimiser state",
    severity: .high,
    evidence: .structural,
    access: .files,
    rationale: """
      Adam's first moment and the momentum of SGD are weighted sums of gradients. After one step \
      they are proportional to the gradient, and every attack that divides gradients by each other \
      works on them unchanged; after more steps they are a mixture dominated by the latest ones. \
      Squared gradients alone hide signs: after one step they still give the size of every input.
      """,
    formula: "m_k = (1 − β₁) Σᵢ β₁^(k−i) gᵢ,  so m₁ = (1 − β₁) g₁",
    remedy: """
      Write the file again without optimiser state before it leaves your hands, and audit the \
      result: a file of weights only can still carry slots.
      """,
    remedyEffect: """
      Without the slots the file holds no gradient. Weights from before and after a step still \
      give one, as their difference.
      """,
    sources: [.adam, .invertingGradients],
    examples: .init(
      passing: [
        example("weights only", nil),
        example("before the first step", .init(name: "adam", steps: 0, slots: [.firstMoment])),
      ],
      failing: [
        (example("one step", .init(name: "adam", steps: 1, slots: [.firstMoment])), nil),
        (example("velocity", .init(name: "sgd", steps: 5, slots: [.momentum])), nil),
        (example("squares", .init(name: "rmsprop", steps: 5, slots: [.secondMoment])), nil),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    guard let optimizer = subject.optimizer else { return [] }
    let linear = Set(optimizer.slots).filter(\.isLinearInGradients).sorted()
    if !linear.isEmpty {
      return linear.compactMap { finding(about: $0, of: optimizer, in: subject) }
    }
    guard optimizer.steps != 0, !optimizer.slots.isEmpty else { return [] }
    return [
      optimizer.slots.contains(.secondMoment)
        ? findingAboutSquares(of: optimizer, in: subject)
        : finding(
          in: subject, at: nil, severity: .info, evidence: .inconclusive,
          message: """
            The \(optimizer.name) state after \(optimizer.stepsText) holds slots of unknown \
            meaning, which may be gradients.
            """,
          measurements: optimizer.measurements,
          preconditions: ["The meaning of a slot is given by code that is not in the file."])
    ]
  }

  /// Squares hide signs only: after one step their quotients are the squared entries of the input.
  private func findingAboutSquares(
    of optimizer: OptimizerSummary, in subject: Subject
  ) -> Finding {
    let isOneStep = optimizer.steps == 1
    let meaning =
      isOneStep
      ? "their roots are the gradient without signs, so quotients give |x|, which for inputs that "
        + "are never negative is x"
      : "they tell how much each weight moved, without signs"
    return self.finding(
      in: subject, at: nil, severity: isOneStep ? .medium : .info,
      message: """
        The \(optimizer.name) state after \(optimizer.stepsText) holds means of squared gradients \
        and no mean of gradients: \(meaning).
        """,
      measurements: optimizer.measurements,
      preconditions: isOneStep
        ? ["The slots started from zero.", "The step saw a batch of one sample."]
        : ["The slots hold squared gradients, as their names say."])
  }

  private func finding(
    about slot: OptimizerSummary.Slot, of optimizer: OptimizerSummary, in subject: Subject
  ) -> Finding? {
    guard let severity = severity(of: slot, steps: optimizer.steps) else { return nil }
    return self.finding(
      in: subject, at: nil, severity: severity,
      message: """
        The \(slot.rawValue) of \(optimizer.name) after \(optimizer.stepsText) is in the file: \
        \(meaning(of: slot, steps: optimizer.steps)).
        """,
      measurements: optimizer.measurements,
      preconditions: [
        "A layer discloses from this slot what it would disclose from a gradient.",
        "The batch of a step is small enough for that.",
      ])
  }

  /// How much a slot tells; `nil` if it still holds zeros.
  private func severity(of slot: OptimizerSummary.Slot, steps: Int?) -> Severity? {
    guard slot != .accumulatedGradient, let steps, steps >= 0 else { return .medium }
    return switch steps {
    case 0: nil
    case 1: .high
    case 2...20: .medium
    default: .low
    }
  }

  private func meaning(of slot: OptimizerSummary.Slot, steps: Int?) -> String {
    if slot == .accumulatedGradient {
      return "a sum of gradients not applied yet, exact if it holds one"
    }
    let isMoment = slot == .firstMoment
    let last = isMoment ? "weight (1 − β₁), 10 % at the usual β₁ = 0.9" : "the largest weight"
    switch steps {
    case 1?:
      return isMoment
        ? "exactly (1 − β₁)·g, the gradient of that step" : "proportional to the gradient g"
    case let steps? where steps > 1:
      let reach = steps > 20 ? "; at β = 0.9 it amounts to about 19 of them" : ""
      return "a weighted mixture of \(steps) gradients, the last with \(last)\(reach)"
    default:
      return "the gradient itself after one step, otherwise a mixture, the last with \(last)"
    }
  }

  private static func example(_ name: String, _ optimizer: OptimizerSummary?) -> Subject {
    Subject(name, input: [8], optimizer: optimizer, ["logits": Dense(outputs: 2)])
  }
}

extension OptimizerSummary {
  fileprivate init(name: String, steps: Int?, slots: [Slot]) {
    self.init(name: name, steps: steps, slots: slots, tensorCount: 2 * slots.count)
  }

  fileprivate var stepsText: String {
    switch steps {
    case nil: "an unknown number of steps"
    case 1?: "1 step"
    case let steps?: "\(steps) steps"
    }
  }

  fileprivate var measurements: [Finding.Measurement] {
    [
      .init("steps", steps.map(String.init) ?? "unknown"),
      .init("slot tensors", "\(tensorCount)"),
    ]
  }
}
