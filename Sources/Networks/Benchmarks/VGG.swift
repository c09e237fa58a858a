/// Plain stacks of 3×3 convolutions between poolings, under torchvision's names.
///
/// - Source: Simonyan & Zisserman, *Very Deep Convolutional Networks for Large-Scale Image
///   Recognition*, ICLR 2015, table 1.
public struct VGG: Hashable, Sendable {
  /// What reads the features.
  public enum Head: String, Sendable {
    /// One dense layer, for images of 32×32.
    case small
    /// Three dense layers of 4096, 4096 and the classes with dropout, for images of 224×224.
    case large
  }

  /// The convolutions in front of each of the five poolings.
  public var convolutions: [Int]
  public var isNormalized: Bool
  /// The channels of the first convolutions; they double up to eight times as many.
  public var width: Int
  public var head: Head

  public init(convolutions: [Int], isNormalized: Bool, width: Int = 64, head: Head) {
    self.convolutions = convolutions
    self.isNormalized = isNormalized
    self.width = width
    self.head = head
  }

  /// Configurations A, B, D and E: depth 11, 13, 16 or 19; others give `nil`.
  public init?(depth: Int, isNormalized: Bool, head: Head) {
    let known: [Int]? =
      switch depth {
      case 11: [1, 1, 2, 2, 2]
      case 13: [2, 2, 2, 2, 2]
      case 16: [2, 2, 3, 3, 3]
      case 19: [2, 2, 4, 4, 4]
      default: nil
      }
    guard let known else { return nil }
    self.init(convolutions: known, isNormalized: isNormalized, head: head)
  }

  /// The number of weighted layers, with three dense ones as in the paper.
  public var depth: Int { convolutions.reduce(3, +) }

  /// The network for images of `[channels, height, width]`; by default those of the head.
  public func network(classes: Int, input: Shape? = nil) -> Network {
    var growing = GrowingNetwork()
    // torchvision numbers convolutions, normalisations, activations and poolings through.
    var index = 0
    func next() -> String {
      defer { index += 1 }
      return "features.\(index)"
    }
    for (stage, count) in convolutions.enumerated() {
      for _ in 0..<count {
        growing.convolution(
          next(), width << min(stage, 3), kernel: 3, padding: 1, hasBias: true)
        if isNormalized { growing.batchNormalization(next()) }
        growing.relu(next())
      }
      growing.add(next(), Pooling(.maximum, window: [2, 2], channelsFirst: true))
    }
    growing.add("flatten", Flatten())
    switch head {
    case .small: growing.add("classifier", Dense(outputs: classes))
    case .large:
      for hidden in 0..<2 {
        growing.add("classifier.\(3 * hidden)", Dense(outputs: 4096))
        growing.relu("classifier.\(3 * hidden + 1)")
        growing.add("classifier.\(3 * hidden + 2)", Dropout(rate: 0.5))
      }
      growing.add("classifier.6", Dense(outputs: classes))
    }
    let side = head == .small ? 32 : 224
    let name = "vgg\(depth)" + (isNormalized ? "_bn" : "")
    return growing.network(name, input: input ?? [3, side, side])
  }
}
