internal import Attacks
package import AuditModel
internal import Checkpoints
internal import Networks

/// One run: reads the inputs, asks rules and attacks, and collects what a report says.
package struct Audit {
  let request: AuditRequest
  let loader: InputLoader
  var findings: [Finding] = []
  var layers: [LayerSummary] = []
  var recoveries: [RecoverySummary] = []
  var chains: [ChainReading] = []
  var inversions: [InversionSummary] = []
  var labels: [LabelSummary] = []
  var preflight: [PreflightCheck] = []
  var skipped: [Skipped] = []
  var inputs: [LoadedInput] = []
  var samples: [RecoveredSamples] = []
  /// Whether something was audited, and whether something could not be.
  var hasSubject = false
  var isIncomplete = false

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
      try RecoveredSamples.save(
        audit.samples, in: directory, truth: audit.input(.truth)?.file?.contents.truth)
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
      (request.reference, .reference), (request.gradient, .gradient), (request.before, .before),
      (request.after, .after), (request.truth ?? request.probe, .truth),
      (request.inversion.start, .start),
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
    } else if request.probe != nil {
      for model in models { model.file.map { auditProbe(of: $0) } }
    } else {
      for model in models { model.file.map { audit($0, gradient: nil, truth: truth) } }
    }
  }

  /// The path that reports show for a file that was read.
  func name(of path: String) -> String {
    inputs.first { $0.path == path }?.name ?? DisplayedPath.of(path)
  }

  func input(_ role: FileRole) -> LoadedInput? { inputs.first { $0.role == role } }

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
