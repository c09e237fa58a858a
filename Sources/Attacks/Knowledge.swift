package import AuditModel

/// What the attacks have found out so far; each one reads it and adds to it.
package struct Knowledge: Sendable {
  /// Inputs of one layer that were recovered.
  package struct Recovery: Sendable {
    package var node: Int
    /// One vector per sample, in the units in which they enter the layer and in the order of axes in
    /// which the file declares its input, whatever order a graph computes in.
    package var samples: [[Double]]
    /// Which entries are determined; `nil` if all are.
    package var isDetermined: [Bool]?
    /// The loss gradient at the layer's output, for a single sample.
    package var outputGradient: [Double]?
    /// Units that belong to each sample alone, for batches.
    package var units: [[Int]] = []
    package var labels: [Int?]
    /// Relative error of the re-simulated gradient, one per sample.
    package var certificates: [Double]
    /// What the certificates compare.
    package var scope: String
    /// Whether the certificate rules out any other explanation.
    package var isProven: Bool
    /// Predicted root-mean-square error per entry, in the units of `samples`.
    package var predictedError: Double
    /// Standard deviation of the noise on an entry of the gradient, if the residual shows it.
    package var estimatedNoise: Double?
    /// The identifier of the attack.
    package var method: String
    package var measurements: [Finding.Measurement] = []
    package var preconditions: [String] = []

    package init(
      node: Int, samples: [[Double]], isDetermined: [Bool]? = nil,
      outputGradient: [Double]? = nil, units: [[Int]] = [], labels: [Int?],
      certificates: [Double], scope: String, isProven: Bool, predictedError: Double,
      method: String, measurements: [Finding.Measurement] = [], preconditions: [String] = []
    ) {
      self.node = node
      self.samples = samples
      self.isDetermined = isDetermined
      self.outputGradient = outputGradient
      self.units = units
      self.labels = labels
      self.certificates = certificates
      self.scope = scope
      self.isProven = isProven
      self.predictedError = predictedError
      self.method = method
      self.measurements = measurements
      self.preconditions = preconditions
    }
  }

  /// What is known about one layer.
  package struct Verdict: Sendable {
    package var leak: LayerLeak
    package var condition: String
    package var reason: String
    package var measurements: [Finding.Measurement] = []

    package init(
      _ leak: LayerLeak, condition: String, reason: String,
      measurements: [Finding.Measurement] = []
    ) {
      self.leak = leak
      self.condition = condition
      self.reason = reason
      self.measurements = measurements
    }
  }

  package var recoveries: [Int: Recovery] = [:]
  /// An estimate of the model input under noise that is not claimed; its predicted error can be checked.
  package var withheld: Recovery?
  package var verdicts: [Int: Verdict] = [:]
  package var labels: LabelSummary?
  /// The relative error of the whole network's re-simulated gradient, where it could be simulated.
  package var networkCertificate: Double?
  /// The factor between the simulated gradient and the observed one.
  package var networkScale: Double?
  package var preflight: [PreflightCheck] = []
  /// How far down the network the closed forms went; the audit fills in the artefact.
  package var chain: ChainSummary?
  /// Where the search of the cascade came nearest, as the model declares its input, if it fell short.
  package var approach: [Double]?
  /// The output of the node nearest to the input that the cascade determined, as a graph holds it.
  package var features: (node: Int, values: [Double])?
  /// What numerical attacks ended with, in the order in which they ran.
  package var inversions: [NumericalInversion.Result] = []
  /// Numerical attacks that were not tried, and why.
  package var notInverted: [(attack: InversionSettings.Attack, reason: String)] = []

  package init() {}

  /// Whether an attack has settled what node `index` discloses.
  func isSettled(_ index: Int) -> Bool { recoveries[index] != nil || verdicts[index] != nil }
}
