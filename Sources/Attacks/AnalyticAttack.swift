package import AuditModel
package import TensorIR

/// A closed-form recovery; one conformance per file in `Analytic/`.
package protocol AnalyticAttack: Sendable {
  static var metadata: AttackMetadata { get }
  init()
  /// Adds what can be recovered from `observation` to what is already known.
  func run(on observation: Observation, knowing knowledge: inout Knowledge)
}

/// What a reader needs to know about an attack before its first finding.
package struct AttackMetadata: Sendable {
  /// Stable across releases.
  package var identifier: String
  package var title: String
  /// What it recovers, in one sentence.
  package var claim: String
  package var formula: String
  /// When the claim holds.
  package var conditions: [String]
  package var sources: [Citation]
  package var remedy: String
  package var remedyEffect: String
}

/// Every closed-form attack, in the order in which they run: each uses what those before it found.
///
/// `AttackCatalogTests` fails if a file in `Analytic/` is missing here.
package enum AttackCatalog {
  package static let all: [any AnalyticAttack.Type] = [
    DenseInputInversion.self,
    EmbeddingTokens.self,
    ImprintBins.self,
    SparseGradientCompletion.self,
    SingleSampleUnits.self,
    LoneUnitCompletion.self,
    DenseChain.self,
    LabelInference.self,
  ]

  /// The attack with this identifier.
  package static func attack(identifiedBy identifier: String) -> (any AnalyticAttack.Type)? {
    all.first { $0.metadata.identifier == identifier }
  }

  /// What a finding's identifier stands for: an attack of ``all``, the cascade, which uses them, or the
  /// numerical search.
  package static func metadata(identifiedBy identifier: String) -> AttackMetadata? {
    [Cascade.metadata, NumericalInversion.metadata].first { $0.identifier == identifier }
      ?? attack(identifiedBy: identifier)?.metadata
  }

  /// Every identifier that ``metadata(identifiedBy:)`` knows, in the order in which attacks run.
  package static var identifiers: [String] {
    (all.map { $0.metadata } + [Cascade.metadata, NumericalInversion.metadata]).map(\.identifier)
  }

  /// Runs every attack on one observation.
  ///
  /// - Parameters:
  ///   - observation: What an attacker sees.
  ///   - backend: What runs graphs; without one, attacks that need graphs are left out.
  ///   - timeLimit: Seconds that a joint solve may take; `nil` for as long as it needs.
  ///   - inversion: How numerical inversions run; without it, none does.
  ///   - progress: Receives a line whenever long work gets on.
  /// - Returns: What was found out, layer by layer.
  package static func run(
    on observation: Observation, backend: (any Backend)? = nil, timeLimit: Double? = nil,
    inversion: InversionControl? = nil,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) -> Knowledge {
    var knowledge = Knowledge()
    for attack in all { attack.init().run(on: observation, knowing: &knowledge) }
    if let backend {
      Cascade.run(
        on: observation, knowing: &knowledge, backend: backend, timeLimit: timeLimit,
        progress: progress)
      ImprintCertificates.certify(&knowledge, on: observation, backend: backend)
    }
    GradientSimulation.certify(&knowledge, on: observation)
    Mixtures.confirm(&knowledge, observation)
    Mixtures.demote(&knowledge, observation)
    if let inversion {
      NumericalInversion.run(on: observation, knowing: &knowledge, inversion)
    }
    return knowledge
  }
}
