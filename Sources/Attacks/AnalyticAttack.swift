package import AuditModel

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

  /// Runs every attack on one observation.
  package static func run(on observation: Observation) -> Knowledge {
    var knowledge = Knowledge()
    for attack in all { attack.init().run(on: observation, knowing: &knowledge) }
    GradientSimulation.certify(&knowledge, on: observation)
    Mixtures.demote(&knowledge, observation)
    return knowledge
  }
}

extension Citation {
  static let geiping = Citation(
    "Geiping, Bauermeister, Dröge, Moeller",
    "Inverting Gradients – How easy is it to break privacy in federated learning?",
    "NeurIPS 2020", "Prop. 3.1")
  static let phong = Citation(
    "Phong, Aono, Hayashi, Wang, Moriai",
    "Privacy-Preserving Deep Learning via Additively Homomorphic Encryption",
    "IEEE Transactions on Information Forensics and Security 2018", "gradients leak the data")
  static let zhao = Citation(
    "Zhao, Mopuri, Bilen", "iDLG: Improved Deep Leakage from Gradients", "arXiv:2001.02610",
    "label from the sign of the last layer's gradient")
  static let boenisch = Citation(
    "Boenisch, Dziedzic, Schuster, Shamsabadi, Shumailov, Papernot",
    "When the Curious Abandon Honesty: Federated Learning Is Not Private", "EuroS&P 2023",
    "units active on one sample")
  static let ma = Citation(
    "Ma, Sun, Cui, Yang, Wang, Zhang",
    "Instance-wise Batch Label Restoration via Gradients in Federated Learning", "ICLR 2023",
    "class-wise features")
}
