import AuditModel
import Networks
import Tensors

/// A small network through which the cascade leads down to the picture.
struct CascadeNetwork: Sendable, CustomStringConvertible {
  var description: String
  var network: Network
  var initialization = Initialization.pyTorch
  var convention = ParameterTable.Convention.channelsFirst
  /// What becomes of the maps that are not determined on the way.
  var outcomes: [String: ChainSummary.Outcome] = [:]
}

extension Networks.Convolution {
  /// A square kernel with the same zeros on both sides.
  static func square(
    _ filters: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    isFirst: Bool = true, hasBias: Bool = true, _ variant: Variant = .plain
  ) -> Networks.Convolution {
    Networks.Convolution(
      variant: variant, filters: filters, kernel: [kernel, kernel], stride: [stride, stride],
      padding: .explicit([padding, padding]), groups: groups, hasBias: hasBias,
      channelsFirst: isFirst)
  }
}

extension CascadeNetwork {
  /// The stack of the first gradient inversions, for small pictures.
  static func leNet(
    _ function: ActivationFunction, isFirst: Bool, side: Int = 12
  ) -> Network {
    Network(
      "lenet", input: isFirst ? [3, side, side] : [side, side, 3],
      [
        "a": Convolution.square(12, 5, stride: 2, padding: 2, isFirst: isFirst),
        "b": Activation(function),
        "c": Convolution.square(12, 5, stride: 2, padding: 2, isFirst: isFirst),
        "d": Activation(function),
        "e": Convolution.square(12, 5, padding: 2, isFirst: isFirst),
        "f": Activation(function), "g": Flatten(), "h": Dense(outputs: 10),
      ])
  }

  /// A strided convolution, something in between, a dense layer.
  static func strided(
    _ function: ActivationFunction, input: Shape = [3, 12, 12],
    _ between: KeyValuePairs<String, any Layer>
  ) -> Network {
    var nodes: [Network.Node] = []
    func add(_ name: String, _ layer: any Layer) {
      nodes.append(
        .init(
          name: name, layer: layer, sources: [nodes.isEmpty ? .input(0) : .node(nodes.count - 1)]))
    }
    add("a", Convolution.square(16, 3, stride: 2, padding: 1))
    add("b", Activation(function))
    for (name, layer) in between { add(name, layer) }
    add("y", Flatten())
    add("z", Dense(outputs: 10))
    return Network("stack", inputShapes: [input], nodes: nodes)
  }

  /// A block whose shortcut is a strided convolution, without a pooling behind it.
  static let residual = Network(
    "residual", inputShapes: [[3, 8, 8]],
    nodes: [
      .init(name: "stem", layer: Convolution.square(12, 3, padding: 1), sources: [.input(0)]),
      .init(name: "stem.relu", layer: Activation(.relu), sources: [.node(0)]),
      .init(
        name: "one", layer: Convolution.square(24, 3, stride: 2, padding: 1), sources: [.node(1)]),
      .init(name: "one.norm", layer: BatchNormalization(axis: 0), sources: [.node(2)]),
      .init(name: "one.relu", layer: Activation(.relu), sources: [.node(3)]),
      .init(name: "two", layer: Convolution.square(24, 3, padding: 1), sources: [.node(4)]),
      .init(
        name: "short", layer: Convolution.square(24, 1, stride: 2, hasBias: false),
        sources: [.node(1)]),
      .init(name: "sum", layer: Merge(.add), sources: [.node(5), .node(6)]),
      .init(name: "relu", layer: Activation(.relu), sources: [.node(7)]),
      .init(name: "flat", layer: Flatten(), sources: [.node(8)]),
      .init(name: "fc", layer: Dense(outputs: 10), sources: [.node(9)]),
    ])

  static let branches = Network(
    "branches", inputShapes: [[3, 10, 10]],
    nodes: [
      .init(name: "left", layer: Convolution.square(8, 3, padding: 1), sources: [.input(0)]),
      .init(name: "left.f", layer: Activation(.tanh), sources: [.node(0)]),
      .init(name: "right", layer: Convolution.square(8, 5, padding: 2), sources: [.input(0)]),
      .init(name: "right.f", layer: Activation(.sigmoid), sources: [.node(2)]),
      .init(
        name: "both", layer: Merge(.concatenate(axis: 0)), sources: [.node(1), .node(3)]),
      .init(name: "flat", layer: Flatten(), sources: [.node(4)]),
      .init(name: "fc", layer: Dense(outputs: 10), sources: [.node(5)]),
    ])

  static let all: [CascadeNetwork] = [
    .init(
      description: "sigmoid, as PyTorch stores it", network: leNet(.sigmoid, isFirst: true),
      initialization: .uniform),
    .init(
      description: "sigmoid, as Keras stores it", network: leNet(.sigmoid, isFirst: false),
      initialization: .uniform, convention: .channelsLast),
    .init(
      description: "channels first, kernels last", network: leNet(.sigmoid, isFirst: true),
      initialization: .uniform, convention: .channelsLast),
    .init(description: "tanh", network: leNet(.tanh, isFirst: true)),
    .init(
      description: "strided ELU",
      network: strided(
        .elu(alpha: 1),
        ["c": Convolution.square(24, 3, stride: 2, padding: 1), "d": Activation(.elu(alpha: 1))])),
    .init(
      description: "strided ReLU",
      network: strided(
        .relu, ["c": Convolution.square(48, 3, stride: 2, padding: 1), "d": Activation(.relu)])),
    .init(
      description: "leaky ReLU behind batch normalisation",
      network: Network(
        "leaky", input: [3, 12, 12],
        [
          "a": Convolution.square(16, 3, stride: 2, padding: 1, hasBias: false),
          "b": BatchNormalization(axis: 0), "c": Activation(.leakyReLU(slope: 0.1)),
          "d": Convolution.square(24, 3, stride: 2, padding: 1, hasBias: false),
          "e": BatchNormalization(axis: 0), "f": Activation(.leakyReLU(slope: 0.1)),
          "g": Flatten(), "h": Dense(outputs: 10),
        ])),
    .init(description: "projection shortcut", network: residual),
    .init(
      description: "an open map in between",
      network: strided(
        .tanh, input: [3, 8, 8], ["c": Convolution.square(7, 1), "d": Activation(.sigmoid)]),
      outcomes: ["c": .subspace]),
    .init(
      description: "ResNet with a global average",
      network: ResNet(.basic, blocks: [1, 1], width: 24, stem: .small)
        .network(classes: 10, input: [3, 8, 8]),
      initialization: .kaimingNormal, outcomes: ["avgpool": .gradientOnly]),
    .init(
      description: "bottlenecks with a global average",
      network: ResNet(.bottleneck, blocks: [1, 1], width: 24, stem: .small)
        .network(classes: 10, input: [3, 8, 8]),
      initialization: .kaimingNormal,
      outcomes: ["avgpool": .gradientOnly, "layer2.0.conv1": .subspace]),
    .init(
      description: "maximum over windows",
      network: strided(
        .relu,
        [
          "c": Convolution.square(48, 3, padding: 1), "d": Activation(.relu),
          "e": Pooling(.maximum, window: [2, 2], channelsFirst: true),
        ]),
      outcomes: ["e": .gradientOnly]),
    .init(
      description: "depthwise and pointwise",
      network: strided(
        .softplus, input: [3, 8, 8],
        [
          "c": Convolution.square(2, 3, padding: 1, .depthwise), "d": Activation(.tanh),
          "e": Convolution.square(16, 1), "f": Activation(.sigmoid),
        ])),
    .init(
      description: "groups",
      network: strided(
        .tanh,
        ["c": Convolution.square(16, 3, padding: 1, groups: 4), "d": Activation(.tanh)])),
    .init(
      description: "zero padding",
      network: strided(
        .tanh,
        [
          "p": Resampling(.pad(low: [1, 0], high: [0, 2]), channelsFirst: true),
          "c": Convolution.square(24, 3), "d": Activation(.tanh),
        ])),
    .init(description: "two branches side by side", network: branches),
    .init(
      description: "nearest up-sampling",
      network: strided(
        .sigmoid,
        [
          "u": Resampling(.upsample(factors: [2, 1], .nearest), channelsFirst: true),
          "c": Convolution.square(12, 3, stride: 2, padding: 1), "d": Activation(.tanh),
        ])),
    .init(
      description: "permuted and reshaped",
      network: strided(
        .tanh,
        [
          "c": Convolution.square(24, 3, padding: 1), "d": Activation(.softsign),
          "p": Resampling(.permute([2, 0, 1])), "q": Reshape(target: [12, 72]),
        ])),
  ]
}
