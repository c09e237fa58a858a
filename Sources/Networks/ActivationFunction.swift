#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A scalar function applied to every element.
public enum ActivationFunction: Hashable, Sendable {
  case linear, relu, sigmoid, tanh, softplus, softsign, selu, silu, exponential
  case leakyReLU(slope: Double)
  case elu(alpha: Double)
  case relu6
  case hardSigmoid
  /// `z` times the hard sigmoid of `z`.
  case hardSiLU
  /// `z tanh(log(1 + eᶻ))`.
  case mish
  /// `x Φ(x)`; the tanh form is Hendrycks & Gimpel's approximation.
  case gelu(approximate: Bool)
  /// Normalises over the last axis, so it is not scalar; only meaningful in front of the loss.
  case softmax
  /// The logarithm of ``softmax``.
  case logSoftmax
  /// Named by the file but unknown here.
  case unknown(String)

  public var name: String {
    switch self {
    case .linear: "linear"
    case .relu: "relu"
    case .relu6: "relu6"
    case .sigmoid: "sigmoid"
    case .hardSigmoid: "hard_sigmoid"
    case .hardSiLU: "hard_silu"
    case .mish: "mish"
    case .tanh: "tanh"
    case .softplus: "softplus"
    case .softsign: "softsign"
    case .selu: "selu"
    case .silu: "silu"
    case .exponential: "exponential"
    case .leakyReLU: "leaky_relu"
    case .elu: "elu"
    case .gelu: "gelu"
    case .softmax: "softmax"
    case .logSoftmax: "log_softmax"
    case .unknown(let name): name
    }
  }

  /// Looks a name up as Keras and PyTorch write it, with the defaults of Keras.
  public init(named name: String) {
    self =
      switch name.lowercased().replacing("_", with: "") {
      case "linear", "identity", "": .linear
      case "relu": .relu
      case "relu6": .relu6
      case "sigmoid": .sigmoid
      case "hardsigmoid": .hardSigmoid
      case "hardsilu", "hardswish": .hardSiLU
      case "mish": .mish
      case "tanh": .tanh
      case "softplus": .softplus
      case "softsign": .softsign
      case "selu": .selu
      case "silu", "swish": .silu
      case "exponential", "exp": .exponential
      case "leakyrelu": .leakyReLU(slope: 0.2)
      case "elu": .elu(alpha: 1)
      case "gelu": .gelu(approximate: false)
      case "softmax": .softmax
      case "logsoftmax": .logSoftmax
      default: .unknown(name)
      }
  }
}

extension ActivationFunction {
  /// `φ(z)` for a scalar function; `nil` for softmax and unknown functions.
  public func value(_ z: Double) -> Double? {
    switch self {
    case .linear: z
    case .relu: max(z, 0)
    case .relu6: min(max(z, 0), 6)
    case .sigmoid: 1 / (1 + exp(-z))
    case .hardSigmoid: min(max(z / 6 + 0.5, 0), 1)
    case .hardSiLU: z * min(max(z / 6 + 0.5, 0), 1)
    case .mish: z * hyperbolicTangent(max(z, 0) + log1p(exp(-abs(z))))
    case .tanh: hyperbolicTangent(z)
    case .softplus: max(z, 0) + log1p(exp(-abs(z)))
    case .softsign: z / (1 + abs(z))
    case .selu: Self.seluScale * (z > 0 ? z : Self.seluAlpha * expm1(z))
    case .silu: z / (1 + exp(-z))
    case .exponential: exp(z)
    case .leakyReLU(let slope): z > 0 ? z : slope * z
    case .elu(let alpha): z > 0 ? z : alpha * expm1(z)
    case .gelu(let approximate):
      approximate
        ? 0.5 * z * (1 + hyperbolicTangent(Self.geluScale * (z + 0.044715 * z * z * z)))
        : 0.5 * z * erfc(-z * 0.5.squareRoot())
    case .softmax, .logSoftmax, .unknown: nil
    }
  }

  /// `φ′(z)` for a scalar function; `nil` for softmax and unknown functions.
  ///
  /// At the kink of a piecewise function the value is the one frameworks use: 0 for ReLU.
  public func slope(_ z: Double) -> Double? {
    switch self {
    case .linear: return 1
    case .relu: return z > 0 ? 1 : 0
    case .relu6: return z > 0 && z < 6 ? 1 : 0
    case .sigmoid:
      let y = 1 / (1 + exp(-z))
      return y * (1 - y)
    case .hardSigmoid: return z > -3 && z < 3 ? 1 / 6 : 0
    case .hardSiLU: return z <= -3 ? 0 : z < 3 ? z / 3 + 0.5 : 1
    case .mish:
      let t = hyperbolicTangent(max(z, 0) + log1p(exp(-abs(z))))
      return t + z * (1 - t) * (1 + t) / (1 + exp(-z))
    case .tanh:
      let y = hyperbolicTangent(z)
      return (1 - y) * (1 + y)
    case .softplus: return 1 / (1 + exp(-z))
    case .softsign: return 1 / ((1 + abs(z)) * (1 + abs(z)))
    case .selu: return Self.seluScale * (z > 0 ? 1 : Self.seluAlpha * exp(z))
    case .silu:
      let y = 1 / (1 + exp(-z))
      return y * (1 + z * (1 - y))
    case .exponential: return exp(z)
    case .leakyReLU(let slope): return z > 0 ? 1 : slope
    case .elu(let alpha): return z > 0 ? 1 : alpha * exp(z)
    case .gelu(let approximate):
      if approximate {
        let t = hyperbolicTangent(Self.geluScale * (z + 0.044715 * z * z * z))
        let inner = Self.geluScale * (1 + 3 * 0.044715 * z * z)
        return 0.5 * (1 + t) + 0.5 * z * (1 - t) * (1 + t) * inner
      }
      return 0.5 * erfc(-z * 0.5.squareRoot()) + z * exp(-z * z / 2) / (2 * Double.pi).squareRoot()
    case .softmax, .logSoftmax, .unknown: return nil
    }
  }

  /// `φ′` as a function of the output `φ(z)`, where the output determines it.
  public func slope(atOutput y: Double) -> Double? {
    switch self {
    case .linear: 1
    case .relu: y > 0 ? 1 : 0
    case .relu6: y > 0 && y < 6 ? 1 : 0
    case .sigmoid: y * (1 - y)
    case .hardSigmoid: y > 0 && y < 1 ? 1 / 6 : 0
    case .tanh: (1 - y) * (1 + y)
    case .softplus: -expm1(-y)
    case .softsign: (1 - abs(y)) * (1 - abs(y))
    case .selu: y > 0 ? Self.seluScale : y + Self.seluScale * Self.seluAlpha
    case .exponential: y
    case .leakyReLU(let slope): y > 0 ? 1 : slope
    case .elu(let alpha): y > 0 ? 1 : y + alpha
    case .silu, .hardSiLU, .mish, .gelu, .softmax, .logSoftmax, .unknown: nil
    }
  }

  /// `φ⁻¹(y)`, where the output determines the input; `nil` where it does not, or where no input
  /// gives `y`.
  ///
  /// SiLU, GELU and Mish are inverted on the side on which they grow beyond zero alone.
  public func inverse(_ y: Double) -> Double? {
    let z: Double? =
      switch self {
      case .linear: y
      case .relu: y > 0 ? y : nil
      case .relu6: y > 0 && y < 6 ? y : nil
      case .sigmoid: log(y) - log1p(-y)
      case .hardSigmoid: y > 0 && y < 1 ? 6 * (y - 0.5) : nil
      case .tanh: 0.5 * (log1p(y) - log1p(-y))
      case .softplus: y > 0 ? y + log(-expm1(-y)) : nil
      case .softsign: abs(y) < 1 ? y / (1 - abs(y)) : nil
      case .selu:
        y > 0 ? y / Self.seluScale : log1p(y / (Self.seluScale * Self.seluAlpha))
      case .exponential: log(y)
      case .leakyReLU(let slope): y > 0 ? y : slope > 0 ? y / slope : nil
      case .elu(let alpha): y > 0 ? y : log1p(y / alpha)
      case .silu, .hardSiLU, .mish, .gelu: y > 0 ? inverseByNewton(y) : nil
      case .softmax, .logSoftmax, .unknown: nil
      }
    return z.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The positive root of `φ(z) = y` for a function that is convex or nearly linear there.
  private func inverseByNewton(_ y: Double) -> Double? {
    var z = max(y, 0.5 * y.squareRoot())
    for _ in 0..<60 {
      guard let value = value(z), let slope = slope(z), slope > 0 else { return nil }
      let next = max(z - (value - y) / slope, z / 4)
      if abs(next - z) <= 1e-15 * abs(next) { return next }
      z = next
    }
    return z
  }

  /// Whether units that are off let nothing through, so that a unit can belong to one sample alone.
  public var silencesUnits: Bool { self == .relu || self == .relu6 }

  // Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017.
  static let seluAlpha = 1.6732632423543772
  static let seluScale = 1.0507009873554805
  static let geluScale = (2 / Double.pi).squareRoot()
}

/// `tanh` under a name that an enumeration case does not shadow.
private func hyperbolicTangent(_ z: Double) -> Double { tanh(z) }
