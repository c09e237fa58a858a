/// How much of a layer's input its observed or future gradients disclose.
public enum LayerLeak: String, Codable, Sendable, CaseIterable {
  /// The layer's input is determined.
  case exact
  /// The layer's input is known up to a subspace or a factor.
  case subspace
  /// Some samples or some entries are determined, or all with a stated error.
  case partial
  /// The layer was examined and its gradient determines nothing about its input.
  case none
  /// Something prevented a judgement; not to be read as `none`.
  case inconclusive
  /// The layer was not examined; not to be read as `none`.
  case notAnalysed = "not-analysed"
}

/// One row of the per-layer table.
public struct LayerSummary: Hashable, Codable, Sendable {
  public var artifact: String
  public var name: String
  public var kind: String
  /// Number of trainable and non-trainable values.
  public var parameters: Int
  public var leak: LayerLeak
  /// Under which condition `leak` holds, such as "a batch of one sample".
  public var condition: String
  /// Why `leak` is what it is.
  public var reason: String

  public init(
    artifact: String, name: String, kind: String, parameters: Int, leak: LayerLeak,
    condition: String, reason: String
  ) {
    self.artifact = artifact
    self.name = name
    self.kind = kind
    self.parameters = parameters
    self.leak = leak
    self.condition = condition
    self.reason = reason
  }
}

/// What was recovered from one layer of one source.
public struct RecoverySummary: Hashable, Codable, Sendable {
  /// How a recovery compares with a supplied truth; from `Evaluation`, never from an attack.
  public struct Quality: Hashable, Codable, Sendable {
    /// Mean squared error per entry of each matched sample, in squared input units.
    public var meanSquaredError: [Double]
    /// Peak signal-to-noise ratio per matched sample in decibels, on inputs clamped to [0, 1].
    public var psnr: [Double]
    /// Samples whose recovered label equals the true one; absent without labels.
    public var labelsCorrect: Int?

    public init(meanSquaredError: [Double], psnr: [Double], labelsCorrect: Int?) {
      self.meanSquaredError = meanSquaredError
      self.psnr = psnr
      self.labelsCorrect = labelsCorrect
    }
  }

  public var artifact: String
  public var layer: String
  /// Whether the layer's input is the model's own input, up to a known rearrangement.
  public var isModelInput: Bool
  /// Number of samples recovered.
  public var samples: Int
  /// Number of samples in the batch, if it is known.
  public var batchSize: Int?
  public var proven: Bool
  /// Relative error of the re-simulated gradient, dimensionless; the worst sample counts.
  public var certificate: Double
  /// What the certificate compares: the whole network's gradient or the layer's own equations.
  public var certificateScope: String
  /// Predicted root-mean-square error of a recovered entry, in input units.
  public var predictedError: Double
  /// `gradient`, `update` or the optimiser slot it came from.
  public var source: String
  /// The attack that recovered it.
  public var method: String
  public var quality: Quality?

  public init(
    artifact: String, layer: String, isModelInput: Bool, samples: Int, batchSize: Int?,
    proven: Bool, certificate: Double, certificateScope: String, predictedError: Double,
    source: String, method: String, quality: Quality? = nil
  ) {
    self.artifact = artifact
    self.layer = layer
    self.isModelInput = isModelInput
    self.samples = samples
    self.batchSize = batchSize
    self.proven = proven
    self.certificate = certificate
    self.certificateScope = certificateScope
    self.predictedError = predictedError
    self.source = source
    self.method = method
    self.quality = quality
  }
}

/// What the classifier's gradient discloses about the labels of a batch.
public struct LabelSummary: Hashable, Codable, Sendable {
  /// Classes that are certainly in the batch, ascending.
  public var present: [Int]
  /// Estimated number of samples per class; absent if the batch size is unknown.
  public var counts: [Int]?
  /// Lower and upper bound of each count, one pair per class.
  public var interval: [[Int]]?
  /// How the counts were obtained and under which assumption.
  public var method: String
  /// Whether `counts` is exact rather than estimated.
  public var exact: Bool
  /// The source the labels were read from.
  public var source: String

  public init(
    present: [Int], counts: [Int]?, interval: [[Int]]?, method: String, exact: Bool,
    source: String
  ) {
    self.present = present
    self.counts = counts
    self.interval = interval
    self.method = method
    self.exact = exact
    self.source = source
  }
}

/// One line of the pre-flight table.
public struct PreflightCheck: Hashable, Codable, Sendable {
  public enum Status: String, Codable, Sendable, CaseIterable {
    case ok, warning, mismatch
    case notChecked = "not-checked"
  }

  public var artifact: String
  /// What was checked, such as "classifier bias gradient sums to zero".
  public var check: String
  public var status: Status
  /// The number, with its unit.
  public var value: String
  /// What would explain a warning or a mismatch.
  public var explanation: String?

  public init(
    artifact: String, check: String, status: Status, value: String, explanation: String? = nil
  ) {
    self.artifact = artifact
    self.check = check
    self.status = status
    self.value = value
    self.explanation = explanation
  }
}

/// Something that was not looked at, and why.
public struct Skipped: Hashable, Codable, Sendable {
  public var artifact: String
  public var what: String
  public var why: String

  public init(artifact: String, what: String, why: String) {
    self.artifact = artifact
    self.what = what
    self.why = why
  }
}

/// One file that was read, or that could not be read.
public struct InputSummary: Hashable, Codable, Sendable {
  /// The path as displayed: relative, or the last component of an absolute one.
  public var path: String
  /// The SHA-256 digest of the whole file in lower-case hexadecimal, absent if it was unreadable.
  public var sha256: String?
  /// The recognised layout, such as `keras-legacy-h5`, or `unreadable`.
  public var format: String
  /// What the file was used as: `model`, `gradient`, `before`, `after` or `truth`.
  public var role: String
  public var byteCount: Int

  public init(path: String, sha256: String?, format: String, role: String, byteCount: Int) {
    self.path = path
    self.sha256 = sha256
    self.format = format
    self.role = role
    self.byteCount = byteCount
  }
}

/// The outcome of one run: everything a report format may print.
public struct AuditReport: Hashable, Codable, Sendable {
  /// Changes whenever a field of the JSON report changes its meaning.
  public static let currentSchemaVersion = "1.0"

  public var schemaVersion: String
  public var toolVersion: String
  /// The command line with displayed paths.
  public var command: [String]
  /// One sentence.
  public var verdict: String
  /// What an attacker gets, in plain words; each is a sentence.
  public var attackerGets: [String]
  public var exitCode: Int
  public var findings: [Finding]
  public var layers: [LayerSummary]
  public var recoveries: [RecoverySummary]
  /// The labels of the best source; absent if no source disclosed any.
  public var labels: LabelSummary?
  public var preflight: [PreflightCheck]
  public var skipped: [Skipped]
  public var inputs: [InputSummary]

  public init(
    toolVersion: String, command: [String], verdict: String, attackerGets: [String],
    exitCode: Int, findings: [Finding], layers: [LayerSummary], recoveries: [RecoverySummary],
    labels: LabelSummary?, preflight: [PreflightCheck], skipped: [Skipped],
    inputs: [InputSummary]
  ) {
    self.schemaVersion = Self.currentSchemaVersion
    self.toolVersion = toolVersion
    self.command = command
    self.verdict = verdict
    self.attackerGets = attackerGets
    self.exitCode = exitCode
    self.findings = findings.sorted(by: Finding.reportOrder)
    self.layers = layers
    self.recoveries = recoveries
    self.labels = labels
    self.preflight = preflight
    self.skipped = skipped
    self.inputs = inputs
  }
}
