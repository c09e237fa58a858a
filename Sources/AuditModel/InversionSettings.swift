/// How numerical inversion searches: what it minimises, with which steps and for how long.
///
/// Attacks are presets of these, each of which may be overridden.
public struct InversionSettings: Hashable, Codable, Sendable {
  /// A preset.
  public enum Attack: String, Hashable, Codable, Sendable, CaseIterable {
    /// Starts from what closed forms leave, searches by steps that suit the network and polishes by
    /// least squares.
    case auto
    /// Geiping et al., *Inverting Gradients*, NeurIPS 2020: cosine distance, total variation, Adam on
    /// signs.
    case invertingGradients = "inverting-gradients"
    /// Zhu et al., *Deep Leakage from Gradients*, NeurIPS 2019: squared distance, L-BFGS, labels
    /// sought together with inputs.
    case dlg
    /// Zhao et al., *iDLG*, 2020: as ``dlg`` with the label that the gradient tells.
    case idlg
  }

  /// How far the simulated gradient `g` is from the observed one `g*`, over all parameters at once.
  public enum Distance: String, Hashable, Codable, Sendable, CaseIterable {
    /// `1 − ⟨g, g*⟩ / (‖g‖ ‖g*‖)`.
    case cosine
    /// `‖g − g*‖²`.
    case squared
  }

  public enum Optimizer: String, Hashable, Codable, Sendable, CaseIterable {
    case adam
    /// Adam on the sign of the gradient.
    case signedAdam = "signed-adam"
    /// Limited-memory BFGS with a search for the strong Wolfe conditions.
    case lbfgs
    /// ``lbfgs`` that takes the low frequencies of a picture for more important, as they are.
    case spectralLBFGS = "spectral-lbfgs"

    /// Whether the length of a step is the optimiser's own affair.
    package var searchesLines: Bool { self == .lbfgs || self == .spectralLBFGS }
  }

  /// The precision in which gradients are simulated.
  public enum Precision: String, Hashable, Codable, Sendable, CaseIterable { case single, double }

  public var attack: Attack
  public var distance: Distance
  public var optimizer: Optimizer
  /// Steps of each restart.
  public var iterations: Int
  /// Searches from starts of their own; the one with the least objective counts.
  public var restarts: Int
  /// In units of the input.
  public var stepSize: Double
  /// Whether steps become ten times shorter after 3/8, 5/8 and 7/8 of the iterations.
  public var decays: Bool
  /// The weight of the mean total variation.
  public var totalVariation: Double
  /// Whether restarts that fall behind are given up: half of them after 1/2ᵏ of the iterations, half
  /// of the rest after twice as many, and so on.
  ///
  /// - Source: Jamieson & Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter
  ///   Optimization*, AISTATS 2016: successive halving.
  public var halves: Bool
  /// Whether labels are sought together with the inputs, as distributions over the classes.
  public var seeksLabels: Bool
  public var seed: UInt64
  public var precision: Precision

  /// What ``iterations`` and ``restarts`` can be.
  public static let iterationRange = 1...10_000_000
  public static let restartRange = 1...4_096

  /// The settings of a preset.
  ///
  /// - Parameters:
  ///   - attack: The preset.
  ///   - hasKinks: Whether slopes in the network jump, as those of ReLU do. Where none do, second
  ///     derivatives tell of the surroundings, and ``Attack/auto`` makes use of it.
  public init(_ attack: Attack, hasKinks: Bool = true) {
    self.attack = attack
    halves = true
    seed = 0
    switch attack {
    case .auto, .invertingGradients:
      distance = .cosine
      optimizer = .signedAdam
      (iterations, restarts, stepSize, decays) = (4_800, 1, 0.1, true)
      totalVariation = attack == .auto ? 1e-2 : 1e-4
      seeksLabels = false
      precision = .single
      guard attack == .auto, !hasKinks else { return }
      optimizer = .spectralLBFGS
      // In single precision the search would end where rounding hides what steps gain.
      (distance, precision) = (.squared, .double)
      (iterations, stepSize, decays, totalVariation) = (2_400, 1, false, 0)
    case .dlg, .idlg:
      distance = .squared
      optimizer = .lbfgs
      (iterations, restarts, stepSize, decays) = (1_200, 16, 1, false)
      totalVariation = 0
      seeksLabels = attack == .dlg
      precision = .double
    }
  }

  /// Every setting in words, in the order of a report.
  public var description: [Setting] {
    [
      Setting("distance", distance.rawValue), Setting("optimiser", optimizer.rawValue),
      Setting("iterations", "\(iterations)"), Setting("restarts", "\(restarts)"),
      Setting("step size", Self.plain(stepSize)), Setting("step decay", decays ? "yes" : "no"),
      Setting("total variation", Self.plain(totalVariation)),
      Setting("halving", halves ? "yes" : "no"),
      Setting("labels", seeksLabels ? "sought" : "from the gradient"),
      Setting("precision", precision.rawValue), Setting("seed", "\(seed)"),
    ]
  }

  /// A named value of a setting.
  public struct Setting: Hashable, Codable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  private static func plain(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}

/// Settings that replace those of a preset; what is `nil` stays as the preset has it.
public struct InversionOverrides: Hashable, Codable, Sendable {
  public var distance: InversionSettings.Distance?
  public var optimizer: InversionSettings.Optimizer?
  public var iterations: Int?
  public var restarts: Int?
  public var stepSize: Double?
  public var decays: Bool?
  public var totalVariation: Double?
  public var halves: Bool?
  public var seeksLabels: Bool?
  public var seed: UInt64?
  public var precision: InversionSettings.Precision?

  public init() {}

  /// The settings of a preset with these in place.
  public func applied(
    to attack: InversionSettings.Attack, hasKinks: Bool = true
  ) -> InversionSettings {
    var settings = InversionSettings(attack, hasKinks: hasKinks)
    settings.distance = distance ?? settings.distance
    settings.optimizer = optimizer ?? settings.optimizer
    settings.iterations = iterations ?? settings.iterations
    settings.restarts = restarts ?? settings.restarts
    settings.stepSize = stepSize ?? settings.stepSize
    settings.decays = decays ?? settings.decays
    settings.totalVariation = totalVariation ?? settings.totalVariation
    settings.halves = halves ?? settings.halves
    settings.seeksLabels = seeksLabels ?? settings.seeksLabels
    settings.seed = seed ?? settings.seed
    settings.precision = precision ?? settings.precision
    return settings
  }

  /// These, and where they say nothing what `others` say.
  public func completed(by others: InversionOverrides) -> InversionOverrides {
    var result = self
    result.distance = distance ?? others.distance
    result.optimizer = optimizer ?? others.optimizer
    result.iterations = iterations ?? others.iterations
    result.restarts = restarts ?? others.restarts
    result.stepSize = stepSize ?? others.stepSize
    result.decays = decays ?? others.decays
    result.totalVariation = totalVariation ?? others.totalVariation
    result.halves = halves ?? others.halves
    result.seeksLabels = seeksLabels ?? others.seeksLabels
    result.seed = seed ?? others.seed
    result.precision = precision ?? others.precision
    return result
  }
}
