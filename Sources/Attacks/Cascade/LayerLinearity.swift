internal import Networks

/// How a layer passes values and gradients, as far as the cascade follows it.
enum LayerLinearity {
  /// A scalar function of every entry.
  case elementwise(ActivationFunction)
  /// Every entry is scaled and shifted by itself, such as batch normalisation in inference mode.
  case entrywiseAffine
  /// Entries are copied, moved, left out or surrounded by zeros.
  case rearrangement
  /// The sum of several maps.
  case sum
  /// Any other map that is linear in its input but for a constant.
  case affine
  /// The maximum over windows.
  case maximum
  /// Anything else.
  case unknown

  init(_ layer: any Layer) {
    switch layer {
    case let activation as Activation:
      switch activation.function {
      case .linear: self = .rearrangement
      case .softmax, .logSoftmax, .unknown: self = .unknown
      default: self = .elementwise(activation.function)
      }
    case is BatchNormalization: self = .entrywiseAffine
    case let rescaling as Rescaling: self = rescaling.scale == 0 ? .unknown : .entrywiseAffine
    case is Flatten, is Networks.Reshape, is Dropout, is Selection: self = .rearrangement
    case let resampling as Resampling:
      switch resampling.operation {
      case .pad, .crop, .permute, .repeated, .upsample(_, .nearest): self = .rearrangement
      case .upsample(_, .linear): self = .affine
      case .unstated: self = .unknown
      }
    case let merge as Merge:
      switch merge.operation {
      case .add: self = .sum
      case .concatenate: self = .rearrangement
      case .subtract, .average: self = .affine
      default: self = .unknown
      }
    case let pooling as Pooling: self = pooling.statistic == .maximum ? .maximum : .affine
    case is Networks.Convolution, is Dense: self = .affine
    default: self = .unknown
    }
  }

  /// Whether gradients pass without any value being known.
  var isAffine: Bool {
    switch self {
    case .entrywiseAffine, .rearrangement, .sum, .affine: true
    case .elementwise, .maximum, .unknown: false
    }
  }
}
