/// Residual networks: a stem, stages of blocks with shortcuts, the mean over all places, a head.
///
/// Names, strides and shortcuts are those of torchvision: a stage behind the first halves the
/// resolution in its first block, in the 3×3 convolution; a shortcut that changes shape is a 1×1
/// convolution with batch normalisation.
///
/// - Source: He et al., *Deep Residual Learning for Image Recognition*, CVPR 2016, with option B for
///   shortcuts everywhere; Zagoruyko & Komodakis, *Wide Residual Networks*, 2016, for the widths.
public struct ResNet: Hashable, Sendable {
  /// What a block computes beside its shortcut.
  public enum Block: String, Sendable {
    /// Two 3×3 convolutions.
    case basic
    /// 1×1, 3×3, and 1×1 to four times the width.
    case bottleneck

    var expansion: Int { self == .basic ? 1 : 4 }
  }

  /// What stands before the first block.
  public enum Stem: String, Sendable {
    /// A 3×3 convolution, for images of 32×32.
    case small
    /// A 7×7 convolution of stride 2 and a pooling of stride 2, for images of 224×224.
    case large
  }

  public var block: Block
  /// The number of blocks per stage.
  public var blocks: [Int]
  /// The channels of the first stage; each further stage has twice as many.
  public var width: Int
  public var stem: Stem

  public init(_ block: Block, blocks: [Int], width: Int, stem: Stem) {
    self.block = block
    self.blocks = blocks
    self.width = width
    self.stem = stem
  }

  /// The number of weighted layers on the longest way, shortcuts not counted.
  public var depth: Int { blocks.reduce(2) { $0 + $1 * (block == .basic ? 2 : 3) } }

  /// The network for images of `[channels, height, width]`; by default those of the stem.
  public func network(classes: Int, input: Shape? = nil) -> Network {
    var growing = GrowingNetwork()
    switch stem {
    case .small: growing.convolution("conv1", width, kernel: 3, padding: 1)
    case .large: growing.convolution("conv1", width, kernel: 7, stride: 2, padding: 3)
    }
    growing.batchNormalization("bn1")
    growing.relu("relu")
    if stem == .large {
      growing.add(
        "maxpool",
        Pooling(
          .maximum, window: [3, 3], stride: [2, 2], padding: .explicit([1, 1]),
          channelsFirst: true))
    }
    var arriving = width
    for (stage, count) in blocks.enumerated() {
      let channels = width << stage
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        let leaving = channels * block.expansion
        add(
          "layer\(stage + 1).\(index)", channels, stride: stride,
          needsProjection: stride > 1 || arriving != leaving, to: &growing)
        arriving = leaving
      }
    }
    growing.add("avgpool", Pooling(.average, channelsFirst: true))
    growing.add("fc", Dense(outputs: classes))
    let side = stem == .small ? 32 : 224
    return growing.network("resnet\(depth)", input: input ?? [3, side, side])
  }

  private func add(
    _ name: String, _ channels: Int, stride: Int, needsProjection: Bool,
    to growing: inout GrowingNetwork
  ) {
    let start = growing.last
    let convolutions: [(filters: Int, kernel: Int, stride: Int)] =
      block == .basic
      ? [(channels, 3, stride), (channels, 3, 1)]
      : [(channels, 1, 1), (channels, 3, stride), (channels * block.expansion, 1, 1)]
    for (index, part) in convolutions.enumerated() {
      growing.convolution(
        "\(name).conv\(index + 1)", part.filters, kernel: part.kernel, stride: part.stride,
        padding: part.kernel / 2)
      growing.batchNormalization("\(name).bn\(index + 1)")
      if index < convolutions.count - 1 { growing.relu("\(name).relu\(index + 1)") }
    }
    let branch = growing.last
    var shortcut = start
    if needsProjection {
      growing.last = start
      growing.convolution(
        "\(name).downsample.0", channels * block.expansion, kernel: 1, stride: stride)
      growing.batchNormalization("\(name).downsample.1")
      shortcut = growing.last
    }
    growing.add("\(name).add", Merge(.add), reading: [branch, shortcut])
    growing.relu("\(name).relu")
  }
}

extension ResNet {
  /// The networks of table 1 of He et al., for images of either size.
  ///
  /// The depth is 18, 34, 50, 101 or 152; others give `nil`.
  public init?(depth: Int, stem: Stem) {
    let known: (Block, [Int])? =
      switch depth {
      case 18: (.basic, [2, 2, 2, 2])
      case 34: (.basic, [3, 4, 6, 3])
      case 50: (.bottleneck, [3, 4, 6, 3])
      case 101: (.bottleneck, [3, 4, 23, 3])
      case 152: (.bottleneck, [3, 8, 36, 3])
      default: nil
      }
    guard let (block, blocks) = known else { return nil }
    self.init(block, blocks: blocks, width: 64, stem: stem)
  }

  /// A network of three stages of widths `16k`, `32k`, `64k` for images of 32×32, such as ResNet-20
  /// (`k` = 1), ResNet20-4 and ResNet32-10.
  ///
  /// - Precondition: `depth` is `6n + 2`.
  public init(depth: Int, timesWider factor: Int) {
    precondition(depth > 2 && depth % 6 == 2, "three stages of n blocks have 6n + 2 layers")
    self.init(
      .basic, blocks: Array(repeating: (depth - 2) / 6, count: 3), width: 16 * factor,
      stem: .small)
  }
}
