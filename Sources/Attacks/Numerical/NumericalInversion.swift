package import AuditModel
internal import Networks
internal import TensorIR

/// Searches for inputs whose simulated gradient is the observed one.
///
/// Each attack is a preset of ``InversionSettings``. What it ends with is an estimate: that it found
/// no picture does not say that the gradient holds none.
package enum NumericalInversion {
  static let metadata = AttackMetadata(
    identifier: "gradient-matching",
    title: "Inputs follow from matching the gradient numerically",
    claim: """
      A search over inputs ends at samples whose simulated gradient is the observed one, and the \
      equations around them leave no other nearby.
      """,
    formula: "minimise D(∇L(x, y), g*) + α TV(x)",
    conditions: [
      "The architecture, and the weights at which the gradient was taken.",
      "The number of samples and their labels, or labels sought as well.",
      "For updates of several steps: their number, order, batch size and learning rate.",
    ],
    sources: [.invertingGradients, .deepLeakage],
    remedy: """
      Do not let gradients or updates of few samples leave the client: aggregate them securely over \
      many clients, or clip and noise each sample's gradient.
      """,
    remedyEffect: """
      Larger batches and more local steps make the search harder, not impossible; what it does not \
      find today a better one may find tomorrow.
      """)

  /// What one attack ended with.
  package struct Result: Sendable {
    package var summary: InversionSummary
    /// One vector per sample, as the model declares its input.
    package var samples: [[Double]]
    package var labels: [Int?]
    /// Predicted root-mean-square error of a value, if the equations around the end tell.
    package var predictedError: Double?
    /// The share of random directions that the equations tell apart; `nil` if that was not asked.
    package var determinedShare: Double?

    /// Whether somebody ended it before its time.
    package var wasInterrupted = false

    /// Whether the samples explain the gradient and nothing nearby does so too.
    package var isDetermined: Bool {
      summary.gradientMatch < 0.02 && determinedShare ?? 0 >= 0.9
    }

    /// Whether 99 % of the energy of the gradient is explained, so that the samples deserve a look.
    package var isNear: Bool { summary.gradientMatch < 0.1 }
  }

  /// Runs the attacks that were asked for, and adds what they end with.
  ///
  /// `auto` has nothing to do where inputs were recovered and proven.
  static func run(
    on observation: Observation, knowing knowledge: inout Knowledge, _ control: InversionControl
  ) {
    for settings in control.attacks {
      if settings.attack == .auto, knowledge.holdsInputs(of: observation) { continue }
      if let reason = control.interruption {
        knowledge.notInverted.append((settings.attack, "no time was left (\(reason))"))
        continue
      }
      do throws(NotInvertible) {
        let problem = try InversionProblem(
          observation, labels: control.labels, seeksLabels: settings.seeksLabels,
          knowing: knowledge, box: control.box)
        var attack = InversionAttack(
          problem, settings, control, source: observation.sourceName, knowing: knowledge)
        knowledge.inversions.append(try attack.run())
      } catch {
        knowledge.notInverted.append((settings.attack, error.description))
      }
    }
    adopt(&knowledge, observation)
  }

  /// Makes a recovery of the best result, if it deserves it.
  ///
  /// An estimate from closed forms weighs each row by its noise, so it stays unless the result is proven
  /// or explains the gradient far better.
  private static func adopt(_ knowledge: inout Knowledge, _ observation: Observation) {
    guard !knowledge.holdsInputs(of: observation),
      let best = knowledge.inversions.filter(\.isDetermined)
        .min(by: { $0.summary.gradientMatch < $1.summary.gradientMatch }),
      let reader = observation.network.nodes.indices.first(where: {
        observation.network.nodes[$0].sources.contains(.input(0))
      })
    else { return }
    let size = best.samples.flatMap { $0 }.rootMeanSquareOrZero
    let error = best.predictedError ?? .infinity
    let match = best.summary.gradientMatch
    // Several samples may be told apart by their sum only; the share says so.
    let isProven =
      observation.separatesSamples && match <= 1e-4 && best.determinedShare ?? 0 >= 0.999
      && error <= 0.02 * size
    if let estimate = knowledge.recoveries[reader], estimate.samples.count == best.samples.count,
      !isProven, estimate.certificates.allSatisfy({ $0 <= 2 * match })
    {
      return
    }
    knowledge.recoveries[reader] = Knowledge.Recovery(
      node: reader, samples: best.samples, labels: best.labels,
      certificates: best.samples.map { _ in match },
      scope: "the gradient of the whole network, simulated again", isProven: isProven,
      predictedError: error, method: metadata.identifier,
      measurements: [
        .init(
          "share of directions that the equations determine", (best.determinedShare ?? 0).displayed)
      ],
      preconditions: [
        "The number of samples and the labels are right; the weights are those of the gradient."
      ])
  }
}

extension Knowledge {
  /// Whether all inputs of the observation were recovered and proven.
  func holdsInputs(of observation: Observation) -> Bool {
    recoveries.values.contains { recovery in
      recovery.isProven && recovery.isDetermined == nil
        && recovery.samples.count == observation.samples ?? observation.batchSize
        && observation.affineFromInput(to: recovery.node) != nil
    }
  }
}
