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
  /// Changes whenever a field of the JSON report changes its meaning or one is added.
  public static let currentSchemaVersion = "1.3"

  public var schemaVersion: String
  public var toolVersion: String
  /// The command line with displayed paths.
  public var command: [String]
  /// One sentence.
  public var verdict: String
  /// What an attacker gets, in plain words; each is a sentence.
  public var attackerGets: [String]
  public var exitCode: Int
  /// What counts: neither suppressed nor in the baseline.
  public var findings: [Finding]
  public var layers: [LayerSummary]
  public var recoveries: [RecoverySummary]
  /// How far down the network the closed forms go, one chain per source.
  public var chains: [ChainSummary]
  /// The numerical attacks that ran, in the order in which they did.
  public var inversions: [InversionSummary]
  /// The labels of the best source; absent if no source disclosed any.
  public var labels: LabelSummary?
  public var preflight: [PreflightCheck]
  public var skipped: [Skipped]
  public var inputs: [InputSummary]
  public var policy: PolicySummary
  /// The rules and attacks that the findings come from, suppressed ones included; by identifier.
  public var rules: [RuleDescription]

  public init(
    toolVersion: String, command: [String], verdict: String, attackerGets: [String],
    exitCode: Int, findings: [Finding], layers: [LayerSummary], recoveries: [RecoverySummary],
    chains: [ChainSummary], inversions: [InversionSummary] = [], labels: LabelSummary?,
    preflight: [PreflightCheck], skipped: [Skipped],
    inputs: [InputSummary], policy: PolicySummary = PolicySummary(), rules: [RuleDescription] = []
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
    self.chains = chains
    self.inversions = inversions
    self.labels = labels
    self.preflight = preflight
    self.skipped = skipped
    self.inputs = inputs
    self.policy = policy
    self.rules = rules
  }
}
