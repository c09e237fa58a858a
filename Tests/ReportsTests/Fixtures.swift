import AuditModel

/// Reports that the tests render.
enum Fixture {
  static let empty = AuditReport(
    toolVersion: "0.1.0", command: ["leakaudit", "audit", "model.h5"],
    verdict: "No leak was found in the files that were examined.", attackerGets: [], exitCode: 0,
    findings: [], layers: [], recoveries: [], chains: [], labels: nil, preflight: [], skipped: [],
    inputs: [])

  static let geiping = Citation(
    "Geiping, Bauermeister, Dröge, Moeller",
    "Inverting gradients — how easy is it to break privacy in federated learning?",
    "NeurIPS 2020", "Prop. 3.1")

  static let proven = Finding(
    id: "dense-input-from-gradient", severity: .critical, evidence: .proven,
    artifact: "gradient.h5", layer: "fc1/kernel",
    message: "The gradient of 'fc1/kernel' gives all 784 input values of the one sample.",
    formula: "x = W̄ᵀb̄ / ‖b̄‖²",
    measurements: [
      .init("relative error of the simulated gradient", "3.1e-16"),
      .init("norm of the bias gradient", "0.042 loss units"),
    ],
    preconditions: ["The batch holds one sample.", "The bias gradient is not zero."],
    remedy: "Aggregate the updates of many clients securely before anyone sees one.",
    remedyEffect: "The server sees a sum; the input of one client is no longer determined.",
    citations: [geiping])

  static let structural = Finding(
    id: "input-facing-biased-dense", severity: .high, evidence: .structural,
    artifact: "model.h5", layer: "fc1",
    message: "A dense layer with a bias reads the input of dense_1 directly.",
    remedy: "Clip and noise each sample's gradient.", citations: [geiping])

  static let inconclusive = Finding(
    id: "all-zero-gradient", severity: .low, evidence: .inconclusive, artifact: "gradient.h5",
    layer: "fc2", message: "Every value of the gradient of 'fc2' is zero.",
    remedy: "Export the gradient before the optimiser clears it.")

  /// One of everything, as an ordinary audit of a small classifier would state it.
  static let full = AuditReport(
    toolVersion: "0.1.0",
    command: ["leakaudit", "audit", "model.h5", "--gradient", "gradient.h5"],
    verdict: "One input was read back from gradient.h5, and the recovery is proven.",
    attackerGets: [
      "The input of the only sample, all 784 values, with a predicted error of 2.2e-9.",
      "The label of that sample: class 7.",
    ],
    exitCode: 1, findings: [inconclusive, structural, proven],
    layers: [
      layer("fc1", leak: .exact, parameters: 50_240),
      layer("fc2", leak: .inconclusive, parameters: 650, reason: "the gradient is all zero"),
      layer("conv", kind: "convolution", leak: .notAnalysed, reason: "not in this version"),
      layer("flatten", kind: "flatten", leak: .none, parameters: 0, reason: "it has no parameters"),
    ],
    recoveries: [
      RecoverySummary(
        artifact: "gradient.h5", layer: "fc1", isModelInput: true, samples: 1, batchSize: 1,
        proven: true, certificate: 3.14e-16, certificateScope: "the whole network's gradient",
        predictedError: 2.2e-9, source: "gradient", method: "dense-input-from-gradient",
        quality: .init(
          meanSquaredError: [4.7e-18], psnr: [173.28], greyPSNR: 9.042, meanImagePSNR: 12.34,
          labelsCorrect: 1)),
      RecoverySummary(
        artifact: "gradient.h5", layer: "fc2", isModelInput: false, samples: 2, batchSize: nil,
        proven: false, certificate: .nan, certificateScope: "the layer's own equations",
        predictedError: .infinity, source: "optimizer/momentum", method: "active-unit-ratio"),
    ],
    chains: [chain], inversions: inversions,
    labels: LabelSummary(
      present: [7], counts: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
      interval: [
        [0, 0], [0, 0], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0], [1, 1], [0, 0], [0, 0],
      ], method: "bias identity with uniform probabilities", exact: false, source: "gradient"),
    preflight: [
      PreflightCheck(
        artifact: "gradient.h5", check: "classifier bias gradient sums to zero", status: .ok,
        value: "1.2e-9 of its norm"),
      PreflightCheck(
        artifact: "gradient.h5", check: "gradient matches the weights", status: .mismatch,
        value: "relative difference 0.3", explanation: "The gradient is of another step."),
    ],
    skipped: [Skipped(artifact: "model.h5", what: "layer 'conv'", why: "it is a convolution")],
    inputs: [
      InputSummary(
        path: "model.h5", sha256: String(repeating: "0a", count: 32), format: "keras-legacy-h5",
        role: "model", byteCount: 1_234_567),
      InputSummary(
        path: "notes.txt", sha256: nil, format: "unreadable", role: "gradient", byteCount: 12),
    ], policy: policy, rules: [rule])

  /// One finding accepted by each way, one suppression past its day.
  static let policy = PolicySummary(
    suppressed: [
      SuppressedFinding(
        finding: Finding(
          id: "classifier-bias", severity: .low, evidence: .structural, artifact: "model.h5",
          layer: "fc2", message: "The classifier has a bias.", remedy: "Drop it."),
        origin: .baseline, reason: "It is in the baseline."),
      SuppressedFinding(
        finding: Finding(
          id: "optimizer-state", severity: .high, evidence: .structural, access: .files,
          artifact: "model.h5", message: "The file carries the first moment of Adam.",
          remedy: "Write the file without it."), origin: .configuration,
        reason: "It never leaves the client.", expires: CalendarDate("2027-03-31")),
    ], hasBaseline: true, resolved: 1,
    notices: [
      PolicyNotice(
        kind: .expired, file: ".leakaudit.yml", line: 7,
        text: "the suppression of 'dense-chain' expired after 2026-01-31: it covers no finding of "
          + "this run")
    ])

  static let rule = RuleDescription(
    identifier: "input-facing-biased-dense",
    title: "A dense layer with a bias reads the input directly",
    kind: "static rule, severity up to high, evidence structural",
    parts: [
      .init("Why", "The weight gradient is an outer product {of two vectors}."),
      .init("Formula", "x = W̄ᵀb̄ / ‖b̄‖²", isVerbatim: true),
      .init("Remedy", "Clip and noise each sample's gradient.\nOr aggregate [securely]."),
    ], sources: [geiping])

  /// A walk that ends in front of the second convolution.
  static let chain = ChainSummary(
    artifact: "model.h5", source: "gradient (gradient.h5)",
    steps: [
      .init(
        layer: "fc1", kind: "dense", route: "bias gradient", unknowns: 1_024, forwardEquations: 0,
        gradientEquations: 51_200, rank: nil, amplification: 1.04, residual: 3.14e-8,
        relativeError: 2.21e-8, outcome: .exact),
      .init(
        layer: "conv3", kind: "convolution", route: "direct solve", unknowns: 4_096,
        forwardEquations: 1_024, gradientEquations: 9_216, rank: 4_096, amplification: 1_234.5,
        residual: 8.8e-8, relativeError: 7.31e-5, outcome: .exact, note: "61 % of entries active"),
      .init(
        layer: "conv2", kind: "convolution", route: "direct solve", unknowns: 8_192,
        forwardEquations: 4_096, gradientEquations: 2_048, rank: 6_000, outcome: .subspace),
    ],
    reachesInput: false, stop: "at 'conv2', where 2,192 directions stay open",
    jointSolve: "41 steps from the input of 'conv3' left a misfit of 0.2, so nothing is claimed.",
    rankTolerance: 1e-10)

  static func layer(
    _ name: String, kind: String = "dense", leak: LayerLeak, parameters: Int = 1_000,
    reason: String = "the layer has a bias"
  ) -> LayerSummary {
    LayerSummary(
      artifact: "model.h5", name: name, kind: kind, parameters: parameters, leak: leak,
      condition: "a batch of one sample", reason: reason)
  }

  /// A report that says `text` wherever a file's owner has a say, twice in every list.
  static func hostile(_ text: String) -> AuditReport {
    let finding = Finding(
      id: text, severity: .high, evidence: .proven, artifact: text, layer: text, message: text,
      formula: text, measurements: [.init(text, text), .init(text, text)],
      preconditions: [text, text], remedy: text, remedyEffect: text,
      citations: [Citation(text, text, text, text)])
    let layers = LayerLeak.allCases.map {
      LayerSummary(
        artifact: text, name: text, kind: text, parameters: .max, leak: $0, condition: text,
        reason: text)
    }
    let recovery = RecoverySummary(
      artifact: text, layer: text, isModelInput: true, samples: 1, batchSize: nil, proven: true,
      certificate: 1, certificateScope: text, predictedError: 1, source: text, method: text)
    let steps = ChainSummary.Outcome.allCases.map {
      ChainSummary.Step(
        layer: text, kind: text, route: text, unknowns: .max, forwardEquations: .max,
        gradientEquations: .max, rank: .max, amplification: .infinity, residual: .nan,
        relativeError: -1, outcome: $0, note: text)
    }
    let chain = ChainSummary(
      artifact: text, source: text, steps: steps, reachesInput: false, stop: text,
      jointSolve: text,
      withheld: .init(
        predictedError: .nan,
        quality: .init(
          meanSquaredError: [.infinity], psnr: [], greyPSNR: 0, meanImagePSNR: nil,
          labelsCorrect: nil)),
      rankTolerance: 1e-10)
    let inversion = InversionSummary(
      artifact: text, source: text, attack: .auto, start: text,
      settings: [.init("distance", text), .init(text, text)], samples: .max,
      restarts: [
        .init(index: 0, iterations: .max, objective: .infinity, isAbandoned: false),
        .init(index: 1, iterations: 1, objective: -1, isAbandoned: true),
      ], iterations: .max, objective: .nan, gradientMatch: .infinity,
      curve: [
        .init(iteration: 0, objective: 1e300), .init(iteration: 1, objective: .nan),
        .init(iteration: 2, objective: 0), .init(iteration: .max, objective: 1e-300),
      ], stop: text, spread: .nan, seconds: .infinity)
    let check = PreflightCheck(
      artifact: text, check: text, status: .warning, value: text, explanation: text)
    let input = InputSummary(path: text, sha256: text, format: text, role: text, byteCount: .max)
    let skipped = Skipped(artifact: text, what: text, why: text)
    return AuditReport(
      toolVersion: text, command: [text, text], verdict: text, attackerGets: [text, text],
      exitCode: 1, findings: [finding, finding], layers: layers, recoveries: [recovery, recovery],
      chains: [chain, chain], inversions: [inversion, inversion],
      labels: LabelSummary(
        present: [], counts: nil, interval: nil, method: text, exact: false, source: text),
      preflight: [check, check],
      skipped: [skipped, skipped, Skipped(artifact: text, what: "file", why: text)],
      inputs: [input, input],
      policy: PolicySummary(
        suppressed: [
          SuppressedFinding(finding: finding, origin: .configuration, reason: text)
        ], notices: [PolicyNotice(kind: .expired, file: text, line: 1, text: text)]),
      rules: [
        RuleDescription(
          identifier: text, title: text, kind: text, parts: [.init(text, text)],
          sources: [Citation(text, text, text, text)])
      ])
  }
}
