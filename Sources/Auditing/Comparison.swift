package import AuditModel
package import Checkpoints
internal import Networks
package import Rules

/// Compares a checkpoint with the one it should be: what changed, and how far each layer moved.
package struct Comparison {
  /// What to compare, and how.
  package struct Request: PolicyBearing, Sendable {
    /// The checkpoint that was agreed on.
    package var reference: String
    package var model: String
    /// The least severity that fails the run; `nil` never fails.
    package var failOn: Severity? = .high
    package var rules = RuleSettings()
    package var policy = AuditPolicy()
    package var policyFiles: [InputSummary] = []
    package var policyCommand: [String] = []
    /// How many rules run at a time.
    package var jobs = 1
    package var reader: CheckpointReader

    package init(reference: String, model: String, reader: CheckpointReader) {
      self.reference = reference
      self.model = model
      self.reader = reader
    }

    /// The command line that gives the same report.
    var command: [String] {
      var words = [
        "leakaudit", "compare", DisplayedPath.of(reference), DisplayedPath.of(model),
      ]
      if failOn != .high { words += ["--fail-on", failOn?.rawValue ?? "none"] }
      return words + policyCommand
    }
  }

  private let request: Request
  private let inputs: [LoadedInput]
  private let loader: InputLoader
  private var findings: [Finding] = []
  private var drifts: [PreflightCheck] = []
  private var skipped: [Skipped] = []
  private var isIncomplete = false
  private var isCompared = false

  package static func run(_ request: Request) -> AuditReport {
    var comparison = Comparison(request)
    comparison.compare()
    return comparison.report
  }

  private init(_ request: Request) {
    self.request = request
    loader = InputLoader(reader: request.reader)
    inputs = loader.load(
      [request.reference, request.model].map {
        InputRequest(path: $0, role: .model, name: DisplayedPath.of($0))
      })
  }

  private mutating func compare() {
    let models = inputs.map { input -> BoundModel? in
      do throws(CheckpointError) {
        if let error = input.error { throw error }
        guard let file = input.file, let model = try BoundModel(file),
          !model.weights.tensors.isEmpty
        else {
          throw CheckpointError(.nothingInside(detail: "it holds no weights"), file: input.path)
        }
        note(file, model, name: input.name)
        return model
      } catch {
        skipped.append(Skipped(artifact: input.name, what: "file", why: error.explanation))
        isIncomplete = true
        return nil
      }
    }
    guard let reference = models[0], let model = models[1] else { return }
    let name = inputs[1].name
    let subject = Subject(
      artifact: name, network: model.network, parameters: model.weights,
      reference: Reference(
        artifact: inputs[0].name, network: reference.network, parameters: reference.weights),
      settings: request.rules)
    findings = RuleCatalog.findings(in: subject, about: .difference, jobs: request.jobs)
    let check = ReferenceCheck(subject)
    drifts = check.drifts
    skipped += check.skipped
    isIncomplete = isIncomplete || check.isIncomplete
    isCompared = check.isCompared
  }

  /// What a file holds beyond what is compared.
  private mutating func note(_ file: LoadedFile, _ model: BoundModel, name: String) {
    for omission in file.contents.omissions {
      skipped.append(Skipped(artifact: name, what: omission.path, why: omission.reason))
      isIncomplete = true
    }
    for hazard in file.contents.hazards {
      findings.append(FileHazard.finding(hazard, artifact: name))
      isIncomplete = true
    }
    for tensor in model.leftOver {
      skipped.append(
        Skipped(artifact: name, what: tensor.path, why: "it fits no layer of the architecture"))
      isIncomplete = true
    }
  }
}

extension Comparison {
  private func exitStatus(_ counting: [Finding]) -> ExitStatus {
    if let failOn = request.failOn, counting.contains(where: { $0.severity >= failOn }) {
      return .finding
    }
    if isIncomplete { return .incomplete }
    return isCompared ? .clean : .nothing
  }

  private var moved: Int { drifts.count { $0.status == .warning } }
  private var unknown: Int { drifts.count { $0.status == .notChecked } }

  private var verdict: String {
    let (reference, model) = (inputs[0].name, inputs[1].name)
    guard isCompared || !findings.isEmpty else {
      return "The models could not be compared; nothing here says that they agree."
    }
    let differences = findings.filter { $0.statedSeverity >= .high }.count
    if differences > 0 {
      return "\(model) is not \(reference): \(differences) "
        + "\(differences == 1 ? "difference" : "differences") that training does not make."
    }
    if unknown > 0 {
      return "\(unknown) of \(drifts.count) parameters hold NaN or infinity, in \(model) or in "
        + "\(reference), and cannot be compared; nothing here says that they agree."
    }
    return moved == 0
      ? "\(model) has the weights of \(reference)."
      : "\(model) differs from \(reference) as training makes weights differ: \(moved) of "
        + "\(drifts.count) parameters moved."
  }

  fileprivate var report: AuditReport {
    let summaries = zip(inputs, ["reference", "model"]).map { input, role in
      InputSummary(
        path: input.name, sha256: input.byteCount > 0 ? loader.digest(of: input.path) : nil,
        format: input.file?.contents.format ?? "unreadable", role: role,
        byteCount: input.byteCount)
    }
    let gets =
      findings.isEmpty
      ? "Nothing that the comparison shows; what the model itself discloses is for an audit."
      : "From a gradient of this model: what the differences below were made for."
    let (counting, policy) = request.policy.applied(to: findings, failOn: request.failOn)
    return AuditReport(
      toolVersion: Tool.version, command: request.command,
      verdict: Verdict.sentence(verdict, suppressed: policy.suppressed.count), attackerGets: [gets],
      exitCode: Int(exitStatus(counting).rawValue), findings: counting, layers: [], recoveries: [],
      chains: [], labels: nil, preflight: drifts,
      skipped: skipped + request.disabledRules, inputs: summaries + request.policyFiles,
      policy: policy, rules: Set(findings.map(\.id)).sorted().compactMap(Explanation.description))
  }
}
