/// Vision transformers: square patches as tokens, pre-norm encoder blocks, one readout.
///
/// Names and the width of normalisation's ε (1e-6) are those of torchvision.
///
/// - Source: Dosovitskiy et al., *An Image is Worth 16x16 Words*, ICLR 2021; Touvron et al., *Training
///   data-efficient image transformers*, ICML 2021, for the widths of tiny and small.
public struct ViT: Hashable, Sendable {
  /// Where the classifier reads.
  public enum Readout: String, Sendable {
    /// A learned token in front of the patches.
    case classToken
    /// The mean over the patches.
    case mean
  }

  /// The side of a patch.
  public var patch: Int
  public var width: Int
  public var depth: Int
  public var heads: Int
  /// The hidden units of each block's dense layers.
  public var hidden: Int
  public var readout: Readout

  /// Four hidden units per feature unless told otherwise.
  public init(
    patch: Int, width: Int, depth: Int, heads: Int, hidden: Int? = nil,
    readout: Readout = .classToken
  ) {
    self.patch = patch
    self.width = width
    self.depth = depth
    self.heads = heads
    self.hidden = hidden ?? 4 * width
    self.readout = readout
  }

  /// 192 features in 3 heads.
  public static func tiny(patch: Int = 16) -> ViT {
    ViT(patch: patch, width: 192, depth: 12, heads: 3)
  }

  /// 384 features in 6 heads.
  public static func small(patch: Int = 16) -> ViT {
    ViT(patch: patch, width: 384, depth: 12, heads: 6)
  }

  /// 768 features in 12 heads.
  public static func base(patch: Int = 16) -> ViT {
    ViT(patch: patch, width: 768, depth: 12, heads: 12)
  }

  /// The network for images of `[channels, height, width]`, whose sides the patches divide.
  public func network(classes: Int, input: [Int] = [3, 224, 224]) -> Network {
    precondition(
      input.count == 3 && input[1] % patch == 0 && input[2] % patch == 0,
      "patches of \(patch) tile the image")
    var growing = GrowingNetwork()
    growing.convolution("conv_proj", width, kernel: patch, stride: patch, hasBias: true)
    let positions = input[1] / patch * (input[2] / patch)
    growing.add("patches", Reshape(target: [width, positions]))
    growing.add("tokens", Resampling(.permute([1, 0])))
    if readout == .classToken { growing.add("class_token", ClassToken()) }
    growing.add("encoder.pos_embedding", PositionEmbedding())
    for index in 0..<depth { addBlock("encoder.layers.encoder_layer_\(index)", to: &growing) }
    growing.add("encoder.ln", normalization)
    switch readout {
    case .classToken: growing.add("class", Selection(axis: 0, index: 0))
    case .mean: growing.add("mean", Pooling(.average))
    }
    growing.add("heads.head", Dense(outputs: classes))
    return growing.network("vit", input: input.map { $0 })
  }

  private var normalization: Normalization { Normalization(.layer(axes: [-1]), epsilon: 1e-6) }

  private func addBlock(_ name: String, to growing: inout GrowingNetwork) {
    let start = growing.last
    growing.add("\(name).ln_1", normalization)
    growing.add(
      "\(name).self_attention",
      Attention(heads: heads, keyWidth: width / heads, projection: .packed))
    growing.add("\(name).add_1", Merge(.add), reading: [growing.last, start])
    let middle = growing.last
    growing.add("\(name).ln_2", normalization)
    growing.add("\(name).mlp.0", Dense(outputs: hidden))
    growing.add("\(name).mlp.1", Activation(.gelu(approximate: false)))
    growing.add("\(name).mlp.3", Dense(outputs: width))
    growing.add("\(name).add_2", Merge(.add), reading: [growing.last, middle])
  }
}
