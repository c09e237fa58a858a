/// How far down a network the closed forms go, layer by layer, from the output to the input.
///
/// The same table answers two questions: what one gradient disclosed, and, with random inputs
/// instead of a gradient, what a gradient of this network would disclose.
public struct ChainSummary: Hashable, Codable, Sendable {
  /// What became of one map.
  public enum Outcome: String, Codable, Sendable, CaseIterable {
    /// Every entry follows from the equations.
    case exact
    /// The entries stay open, but the loss gradient behind them is known, so the walk goes on.
    case gradientOnly = "gradient-only"
    /// Fewer independent equations than entries: a subspace stays open.
    case subspace
    /// Nothing further can be said at this place.
    case stopped
  }

  /// One map of the network: what a layer, or several that read the same map, receive.
  public struct Step: Hashable, Codable, Sendable {
    /// The layer that the map enters; the first of them if it enters several.
    public var layer: String
    public var kind: String
    /// How the map was found, in a few words.
    public var route: String
    /// Number of entries of the map.
    public var unknowns: Int
    /// Equations from values known further up; 0 if none are needed.
    public var forwardEquations: Int
    /// Equations from weight gradients.
    public var gradientEquations: Int
    /// Independent equations, at the tolerance that ``ChainSummary`` states; absent if they were only
    /// counted.
    public var rank: Int?
    /// Relative error of the map per relative error of the gradient; absent if not computed.
    public var amplification: Double?
    /// Relative misfit of the gradient equations, dimensionless; absent without a gradient.
    public var residual: Double?
    /// Predicted root-mean-square error over the root-mean-square of the map, dimensionless.
    public var relativeError: Double?
    public var outcome: Outcome
    /// What else there is to know, such as why it stops; may be empty.
    public var note: String

    public init(
      layer: String, kind: String, route: String, unknowns: Int, forwardEquations: Int,
      gradientEquations: Int, rank: Int?, amplification: Double? = nil, residual: Double? = nil,
      relativeError: Double? = nil, outcome: Outcome, note: String = ""
    ) {
      self.layer = layer
      self.kind = kind
      self.route = route
      self.unknowns = unknowns
      self.forwardEquations = forwardEquations
      self.gradientEquations = gradientEquations
      self.rank = rank
      self.amplification = amplification
      self.residual = residual
      self.relativeError = relativeError
      self.outcome = outcome
      self.note = note
    }
  }

  /// An estimate of the model input that is not claimed, because noise hides the input or the gradient of
  /// the estimate misses by more than noise explains.
  public struct Withheld: Hashable, Codable, Sendable {
    /// Predicted root-mean-square error of an entry, in input units.
    public var predictedError: Double
    /// How far off it is; absent without a truth.
    public var quality: RecoverySummary.Quality?

    public init(predictedError: Double, quality: RecoverySummary.Quality? = nil) {
      self.predictedError = predictedError
      self.quality = quality
    }
  }

  public var artifact: String
  /// `gradient (FILE)` and the like, or `weights alone, random inputs`.
  public var source: String
  /// From the output down.
  public var steps: [Step]
  /// Whether the model input itself was found.
  public var reachesInput: Bool
  /// Why and where the walk ended, if it did not reach the input; a sentence without its full stop.
  public var stop: String?
  /// What the joint solve did below the last determined map, in a sentence; absent if it did not run.
  public var jointSolve: String?
  /// What was estimated under noise and is not claimed; absent where something is, or nothing was.
  public var withheld: Withheld?
  /// Singular values below this share of the largest count as zero in ``Step/rank``.
  public var rankTolerance: Double

  public init(
    artifact: String, source: String, steps: [Step], reachesInput: Bool, stop: String?,
    jointSolve: String? = nil, withheld: Withheld? = nil, rankTolerance: Double
  ) {
    self.artifact = artifact
    self.source = source
    self.steps = steps
    self.reachesInput = reachesInput
    self.stop = stop
    self.jointSolve = jointSolve
    self.withheld = withheld
    self.rankTolerance = rankTolerance
  }
}
