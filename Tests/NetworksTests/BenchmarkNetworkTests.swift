import Networks
import TensorIR
import Testing

@Suite("Benchmark networks")
struct BenchmarkNetworkTests {
  struct Count: CustomTestStringConvertible, Sendable {
    var network: Network
    var parameters: Int
    /// Of one forward pass, in millions of multiply-adds, and how far the published number is
    /// rounded.
    var megaMultiplyAdds: Double
    var rounding: Double

    init(_ network: Network?, _ parameters: Int, _ mega: Double, rounding: Double) throws {
      self.network = try #require(network)
      self.parameters = parameters
      megaMultiplyAdds = mega
      self.rounding = rounding
    }

    var testDescription: String { "\(network.name) of \(network.inputShapes[0].text)" }
  }

  /// The numbers that torchvision's documentation gives for its models, in GFLOPS of one per
  /// multiply-add, to two decimals.
  static func published() throws -> [Count] {
    let resNets: [(Int, Int, Double)] = [
      (18, 11_689_512, 1810), (34, 21_797_672, 3660), (50, 25_557_032, 4090),
      (101, 44_549_160, 7800), (152, 60_192_808, 11510),
    ]
    let plain: [(Int, Int, Int, Double)] = [
      (11, 132_863_336, 132_868_840, 7610), (13, 133_047_848, 133_053_736, 11310),
      (16, 138_357_544, 138_365_992, 15470), (19, 143_667_240, 143_678_248, 19630),
    ]
    // timm's counts for tiny and small; torchvision's for base.
    let transformers = try [
      Count(ViT.tiny().network(classes: 1000), 5_717_416, 1260, rounding: 10),
      Count(ViT.small().network(classes: 1000), 22_050_664, 4610, rounding: 15),
      Count(ViT.base().network(classes: 1000), 86_567_656, 17_560, rounding: 10),
    ]
    return try transformers
      + resNets.map { depth, parameters, mega in
        try Count(
          ResNet(depth: depth, stem: .large)?.network(classes: 1000), parameters, mega, rounding: 10
        )
      }
      + plain.flatMap { depth, bare, normalized, mega in
        try [
          Count(
            VGG(depth: depth, isNormalized: false, head: .large)?.network(classes: 1000), bare,
            mega, rounding: 10),
          Count(
            VGG(depth: depth, isNormalized: true, head: .large)?.network(classes: 1000),
            normalized, mega, rounding: 10),
        ]
      }
  }

  /// What the papers of gradient inversion attack; half the FLOP they give, at two per multiply-add.
  static func small() throws -> [Count] {
    try [
      // Three convolutions of 300·12 products at 16², 8² and 8² places, and 768·10.
      Count(.leNet(), 15_826, 0.7, rounding: 0.05),
      Count(.perceptron(), 5_256_202, 5.25, rounding: 0.05),
      Count(.convNet(), 2_904_970, 1856, rounding: 1),
      Count(ResNet(depth: 20, timesWider: 1).network(classes: 10), 272_474, 40.8, rounding: 0.5),
      Count(ResNet(depth: 20, timesWider: 4).network(classes: 10), 4_327_754, 647.5, rounding: 0.5),
      Count(
        ResNet(depth: 18, stem: .small)?.network(classes: 10), 11_173_962, 555.5, rounding: 0.5),
    ]
  }

  @Test("parameters and multiply-adds are the published ones")
  func counts() throws {
    for count in try Self.published() + Self.small() {
      let graph = try count.network.graph(samples: 1)
      let parameters = graph.trainable.reduce(0) { $0 + $1.value.type.elementCount }
      #expect(parameters == count.parameters, "\(count.testDescription)")
      #expect(
        abs(Double(graph.graph.multiplyAdds) / 1e6 - count.megaMultiplyAdds) <= count.rounding,
        "\(count.testDescription): \(graph.graph.multiplyAdds)")
    }
  }

  @Test("shortcuts that change shape are projections, all others pass unchanged")
  func shortcuts() throws {
    let basic = try #require(ResNet(depth: 34, stem: .large)).network(classes: 10)
    let bottleneck = try #require(ResNet(depth: 50, stem: .small)).network(classes: 10)
    let projected = { (network: Network) in
      network.nodes.filter { $0.layer is Networks.Convolution }.map(\.name)
        .filter { $0.contains("downsample") }
    }
    #expect(
      projected(basic)
        == ["layer2.0.downsample.0", "layer3.0.downsample.0", "layer4.0.downsample.0"])
    #expect(projected(bottleneck) == ["layer1.0.downsample.0"] + projected(basic))
    #expect(ResNet(depth: 32, timesWider: 10).network(classes: 10).name == "resnet32")
    #expect(
      ResNet(depth: 20, stem: .small) == nil
        && VGG(
          depth: 12, isNormalized: true, head: .small) == nil
    )
  }

  @Test("every network takes the images it is made for, and its graph is valid")
  func validity() throws {
    var networks: [Network] = [
      .leNet(), .perceptron(), .convNet(width: 8),
      ResNet(depth: 32, timesWider: 10).network(classes: 10),
    ]
    for stem in [ResNet.Stem.small, .large] {
      networks.append(try #require(ResNet(depth: 50, stem: stem)).network(classes: 7))
    }
    networks.append(
      try #require(VGG(depth: 11, isNormalized: true, head: .small)).network(classes: 7))
    for network in networks {
      #expect(network.nodes.allSatisfy { $0.mismatch == nil }, "\(network.name)")
      let graph = try network.gradientGraph(samples: 2, loss: .softmaxCrossEntropy(smoothing: 0))
      try graph.graph.verify()
    }
  }
}
