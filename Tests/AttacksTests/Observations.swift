import Attacks
import Networks
import Tensors

/// What a test lets the attacker see.
struct Setting: Sendable {
  var batchSize: Int? = 1
  var steps: Int? = 1
  var reduction: Observation.Reduction? = .mean
  var source = Observation.Source.gradient
  var sign: Double? = 1
  /// What the gradient is multiplied with before it is seen.
  var factor = 1.0
  var smoothing = 0.0
  var knowsWeights = true
  /// The format the gradient is rounded to.
  var precision = ElementKind.float64
  var convention = ParameterTable.Convention.channelsLast
}

extension DenseModel {
  /// The observation of a batch's gradient.
  func observation(
    _ inputs: [[Double]], _ labels: [Int], _ setting: Setting = Setting()
  ) -> Observation {
    let gradient = gradient(
      inputs, labels, isMean: setting.reduction != .sum, smoothing: setting.smoothing)
    return observation(of: gradient, setting)
  }

  /// The observation of any gradient, altered or not.
  func observation(of gradient: [LevelGradient], _ setting: Setting = Setting()) -> Observation {
    var (seen, weights) = (
      ParameterTable(convention: setting.convention), ParameterTable(convention: setting.convention)
    )
    for (index, level) in levels.enumerated() {
      let isBiased = level.bias != nil
      seen.set(
        node(index), gradient[index].weights, isBiased ? gradient[index].bias : nil,
        factor: setting.factor, setting.precision)
      guard setting.knowsWeights else { continue }
      weights.set(node(index), level.weights, level.bias, factor: 1, .float64)
    }
    return Observation(
      network: network, weights: weights, gradient: seen, source: setting.source,
      sourceName: "gradient (test)", sign: setting.sign, batchSize: setting.batchSize,
      reduction: setting.reduction, steps: setting.steps, labelSmoothing: setting.smoothing,
      rounding: seen.rounding())
  }
}

extension ParameterTable {
  mutating func set(
    _ node: Int, _ weights: [[Double]], _ bias: [Double]?, factor: Double, _ kind: ElementKind
  ) {
    let (outputs, inputs) = (weights.count, weights.first?.count ?? 0)
    let rows =
      convention == .channelsFirst
      ? weights : (0..<inputs).map { column in weights.map { $0[column] } }
    self[node, .weight] = Tensor(
      rows.joined().map { kind.rounded($0 * factor) },
      shape: convention == .channelsFirst ? [outputs, inputs] : [inputs, outputs],
      resolution: kind)
    if let bias {
      self[node, .bias] = Tensor(
        bias.map { kind.rounded($0 * factor) }, shape: [outputs], resolution: kind)
    }
  }

  /// The rounding error of every tensor, from its format and its size alone.
  func rounding() -> [Key: Double] {
    var errors: [Key: Double] = [:]
    for key in keys {
      guard let tensor = self[key.node, key.role] else { continue }
      let rms = tensor.summary().norm / Double(max(tensor.count, 1)).squareRoot()
      errors[key] =
        tensor.resolution.unitRoundoff * rms / 2 + tensor.resolution.absoluteRoundoff
    }
    return errors
  }
}

extension ElementKind {
  /// The number nearest to `x` in this format; bfloat16 is cut off.
  func rounded(_ x: Double) -> Double {
    switch self {
    case .float64: x
    case .float32: Double(Float(x))
    case .float16: Double(Float16(x))
    case .bfloat16: Double(Float(bitPattern: Float(x).bitPattern & 0xffff_0000))
    }
  }
}

/// `‖a − b‖ / ‖b‖`; infinite for different lengths, zero for equal vectors.
func relativeError(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  guard a != b else { return 0 }
  let gap = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  return (gap / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
}

/// The relative distance from the nearest of several vectors, and which one that is.
func nearest(_ a: [Double], in truths: [[Double]]) -> (index: Int, error: Double) {
  truths.enumerated().map { ($0, relativeError(a, $1)) }.min { $0.1 < $1.1 } ?? (0, .infinity)
}

/// The middle of a few numbers.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
