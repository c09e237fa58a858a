internal import AuditModel
internal import Networks
internal import Tensors

/// Flags layers at the input that pass it on instead of computing with it.
struct PassThroughLayers: Rule {
  private static let leastRatio = Threshold(
    "signal-to-noise", 1,
    "largest weight over the sum of all others, of the best filter for the median input channel")
  private static let leastColumns = Threshold(
    "inputs", 9, "weights per filter; of fewer, one often outweighs the others")

  static let metadata = RuleMetadata(
    identifier: "pass-through-layers",
    title: "Layers at the input pass it on unchanged",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      A convolution whose filters are identities hands the picture to the next layer as it is. \
      Behind enough of them, with residual branches and normalisations set to do nothing, a dense \
      layer far from the input reads the input itself, and its gradient divided by its bias \
      gradient is that input. Filters that an initialiser draws spread their weight over all taps.
      """,
    formula: "max|w| / (Σ|w| − max|w|) per filter",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: "Layers that compute leave the dense layers behind them features to disclose.",
    sources: [.curious, .dishonestServers],
    thresholds: [leastRatio, leastColumns],
    knownErrors: "Networks initialised as identities on purpose, whose input does reach that far.",
    examples: .init(
      passing: [
        stack("as drawn"),
        stack("an identity that the input does not reach") { weights in
          weights.setRows(of: "conv2", Self.identity(of: 8))
        },
      ],
      failing: [
        (
          stack("the first convolution") { weights in
            weights.setRows(of: "conv1", Self.identity(of: 3))
          }, "conv1"
        ),
        (
          stack("both convolutions, with noise") { weights in
            weights.setRows(of: "conv1", Self.identity(of: 3))
            weights.setRows(of: "conv2") { index, old, random in
              zip(Self.identity(of: 8)(index, old, &random), old).map { $0 + 0.01 * $1 }
            }
          }, "conv2"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let least = value(of: Self.leastRatio, in: subject)
    return sites(in: subject).filter { $0.ratio >= least && !$0.isContinued }.map { site in
      let names = site.chain.map { "'\(subject.network.nodes[$0].name)'" }
      let layers =
        names.count > 3
        ? "\(names[0]) and \(names.count - 2) more up to \(names[names.count - 1])"
        : names.joined(separator: ", ")
      let ratio =
        site.ratio.isFinite ? "a signal-to-noise ratio of \(site.ratio.displayed)" : "nothing added"
      return finding(
        in: subject, at: subject.network.nodes[site.node].name,
        message: """
          The input passes \(layers) as it is, with \(ratio): the next layer with weights computes \
          on the input itself, and a dense one discloses it.
          """,
        measurements: [
          .init("layers passed", "\(site.chain.count)"),
          .init("signal-to-noise ratio", site.ratio.displayed),
          .init("input channels or features", "\(site.width)"),
        ],
        preconditions: ["The network was not initialised as an identity on purpose."])
    }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map {
      statistic($0.ratio, Self.leastRatio, at: subject.network.nodes[$0.node].name)
    }
  }

  private func sites(in subject: Subject) -> [Transmission.Site] {
    Transmission(
      subject, leastRatio: value(of: Self.leastRatio, in: subject),
      leastColumns: value(of: Self.leastColumns, in: subject))?.sites ?? []
  }

  private static func stack(
    _ name: String, changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    .drawn(
      name, input: [3, 8, 8],
      [
        "conv1": Convolution(filters: 8, kernel: [3, 3], padding: .same, channelsFirst: true),
        "relu1": Activation(.relu),
        "conv2": Convolution(filters: 8, kernel: [3, 3], padding: .same, channelsFirst: true),
        "relu2": Activation(.relu), "flat": Flatten(), "logits": Dense(outputs: 10),
      ], changing: changing)
  }

  /// Rows of 3×3 filters of which the first few pass one channel each.
  private static func identity(
    of channels: Int
  ) -> (Int, [Double], inout SplitMix64) -> [Double] {
    { index, old, _ in
      index < channels ? old.indices.map { $0 == index * 9 + 4 ? 1 : 0 } : old
    }
  }
}
