internal import Attacks
internal import Networks

/// A network to be inverted and how.
struct Workload: Sendable {
  let network: Network
  let matching: GradientMatching
  let learningRate: Double

  /// - Throws: ``BenchmarkError`` if no workload has that name.
  init(
    _ name: String, totalVariation: Double, learningRate: Double
  ) throws(BenchmarkError) {
    guard let network = Self.network(name) else {
      throw BenchmarkError("no workload is called '\(name)'")
    }
    self.network = network
    self.learningRate = learningRate
    matching = Self.matching(totalVariation: totalVariation)
  }

  /// The cosine with total variation and signed Adam, as Geiping and others have it.
  static func matching(totalVariation: Double) -> GradientMatching {
    var matching = GradientMatching()
    matching.totalVariation = totalVariation
    matching.isChannelsFirst = true
    return matching
  }

  /// The networks of `Benchmarks/workloads.json`.
  private static func network(_ name: String) -> Network? {
    switch name {
    case "lenet-zhu": .leNet()
    case "mlp": .perceptron()
    case "convnet64": .convNet(width: 64)
    case "resnet20-4": ResNet(depth: 20, timesWider: 4).network(classes: 10)
    case "resnet18-cifar": ResNet(depth: 18, stem: .small)?.network(classes: 10)
    case "resnet18-imagenet": ResNet(depth: 18, stem: .large)?.network(classes: 1000)
    default: nil
    }
  }

  /// The networks whose planning is timed: for images of 224×224 in 1000 classes.
  static func planned(_ name: String) throws(BenchmarkError) -> Network {
    guard name.hasPrefix("resnet"), let depth = Int(name.dropFirst("resnet".count)),
      let network = ResNet(depth: depth, stem: .large)
    else { throw BenchmarkError("no network to plan is called '\(name)'") }
    return network.network(classes: 1000)
  }
}
