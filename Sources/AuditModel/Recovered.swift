/// What was recovered from one layer of one source.
public struct RecoverySummary: Hashable, Codable, Sendable {
  /// How a recovery compares with a supplied truth; from `Evaluation`, never from an attack.
  public struct Quality: Hashable, Codable, Sendable {
    /// Mean squared error per entry of each matched sample, in squared input units.
    public var meanSquaredError: [Double]
    /// Peak signal-to-noise ratio per matched sample in decibels, on inputs clamped to
    /// ``valueRange``, whose width is the peak.
    public var psnr: [Double]
    /// What one value everywhere scores on the same truths: the middle of ``valueRange``, in
    /// decibels, mean over the matched samples.
    public var greyPSNR: Double
    /// The same for a picture of one colour, the mean of the true picture; absent if the inputs are
    /// no pictures.
    public var meanImagePSNR: Double?
    /// Structural similarity per matched sample, 1 for equal pictures; absent if the inputs are no
    /// pictures.
    public var structuralSimilarity: [Double]?
    /// Squared distance of the features that enter the classifier, per matched sample; absent if they
    /// were not computed.
    public var featureDistance: [Double]?
    /// Samples that are nearer to the true sample they come from than to any other true sample; absent
    /// with a single true sample.
    public var identified: Int?
    /// 0…1 if it holds every value of the truth, otherwise from the least to the largest of them.
    public var valueRange: ClosedRange<Double>
    /// Samples whose recovered label equals the true one; absent without labels.
    public var labelsCorrect: Int?

    public init(
      meanSquaredError: [Double], psnr: [Double], greyPSNR: Double, meanImagePSNR: Double?,
      structuralSimilarity: [Double]? = nil, featureDistance: [Double]? = nil,
      identified: Int? = nil, valueRange: ClosedRange<Double> = 0...1, labelsCorrect: Int?
    ) {
      self.meanSquaredError = meanSquaredError
      self.psnr = psnr
      self.greyPSNR = greyPSNR
      self.meanImagePSNR = meanImagePSNR
      self.structuralSimilarity = structuralSimilarity
      self.featureDistance = featureDistance
      self.identified = identified
      self.valueRange = valueRange
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
