/// One numerical attack on one source: how it searched, how far it came, and what that is worth.
public struct InversionSummary: Hashable, Codable, Sendable {
  /// One search from a start of its own.
  public struct Restart: Hashable, Codable, Sendable {
    /// Counted from 0; with the seed it tells the start.
    public var index: Int
    /// Steps taken.
    public var iterations: Int
    /// What was minimised, at the last point.
    public var objective: Double
    /// Whether it was given up because others were ahead.
    public var isAbandoned: Bool

    public init(index: Int, iterations: Int, objective: Double, isAbandoned: Bool) {
      self.index = index
      self.iterations = iterations
      self.objective = objective
      self.isAbandoned = isAbandoned
    }
  }

  /// A point of the curve that the best restart went down.
  public struct Point: Hashable, Codable, Sendable {
    /// Steps taken before.
    public var iteration: Int
    public var objective: Double

    public init(iteration: Int, objective: Double) {
      self.iteration = iteration
      self.objective = objective
    }
  }

  public var artifact: String
  /// `gradient (FILE)` and the like.
  public var source: String
  public var attack: InversionSettings.Attack
  /// What it started from, in a few words, such as "standard normal numbers".
  public var start: String
  public var settings: [InversionSettings.Setting]
  /// Samples that were sought at once.
  public var samples: Int
  public var restarts: [Restart]
  /// Steps of all restarts.
  public var iterations: Int
  /// What was minimised, at the point that counts.
  public var objective: Double
  /// Relative error `‖c·g − g*‖ / ‖g*‖` of the simulated gradient at that point, with the factor `c`
  /// that fits best; dimensionless.
  public var gradientMatch: Double
  /// Of the best restart: every step, or at most 200 of them evenly spaced, and the last.
  public var curve: [Point]
  /// Why it ended, in a few words.
  public var stop: String
  /// How far independent restarts ended from one another, relative to the pictures' own deviation;
  /// absent with one restart.
  public var spread: Double?
  /// Wall time; absent unless it was asked for, since it is another in every run.
  public var seconds: Double?
  /// Absent without a truth.
  public var quality: RecoverySummary.Quality?

  public init(
    artifact: String, source: String, attack: InversionSettings.Attack, start: String,
    settings: [InversionSettings.Setting], samples: Int, restarts: [Restart], iterations: Int,
    objective: Double, gradientMatch: Double, curve: [Point], stop: String,
    spread: Double? = nil, seconds: Double? = nil, quality: RecoverySummary.Quality? = nil
  ) {
    self.artifact = artifact
    self.source = source
    self.attack = attack
    self.start = start
    self.settings = settings
    self.samples = samples
    self.restarts = restarts
    self.iterations = iterations
    self.objective = objective
    self.gradientMatch = gradientMatch
    self.curve = curve
    self.stop = stop
    self.spread = spread
    self.seconds = seconds
    self.quality = quality
  }
}
