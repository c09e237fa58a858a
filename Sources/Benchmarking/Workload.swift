package import Attacks
package import Networks

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// A network to be inverted and how, as `Benchmarks/workloads.json` says.
package struct Workload: Sendable {
  private struct Settings: Decodable {
    var input: [Int]
    var classes: Int
    var totalVariation: Double
    var learningRate: Double
  }

  package let network: Network
  package let classes: Int
  package let matching: GradientMatching
  package let learningRate: Double

  /// - Parameters:
  ///   - name: A key of the file.
  ///   - path: The file that both sides of the comparison read.
  /// - Throws: ``BenchmarkError`` if the file or this project has no such workload.
  package init(_ name: String, settings path: String) throws(BenchmarkError) {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let all = try? JSONDecoder().decode([String: Settings].self, from: data)
    else { throw BenchmarkError("\(path) cannot be read as workloads") }
    guard let settings = all[name],
      let network = Self.network(name, settings.classes, settings.input.map { $0 })
    else { throw BenchmarkError("no workload is called '\(name)'") }
    self.network = network
    classes = settings.classes
    learningRate = settings.learningRate
    matching = Self.matching(totalVariation: settings.totalVariation)
  }

  /// The cosine with total variation and signed Adam, as Geiping and others have it.
  static func matching(totalVariation: Double) -> GradientMatching {
    var matching = GradientMatching()
    matching.totalVariation = totalVariation
    matching.isChannelsFirst = true
    return matching
  }

  private static func network(_ name: String, _ classes: Int, _ input: Shape) -> Network? {
    switch name {
    case "lenet-zhu": .leNet(classes: classes, input: input)
    case "mlp": .perceptron(widths: [1024, 1024, 1024, classes], input: input)
    case "convnet64": .convNet(width: 64, classes: classes, input: input)
    case "resnet20-4":
      ResNet(depth: 20, timesWider: 4).network(classes: classes, input: input)
    case "resnet18-cifar":
      ResNet(depth: 18, stem: .small)?.network(classes: classes, input: input)
    case "resnet18-imagenet":
      ResNet(depth: 18, stem: .large)?.network(classes: classes, input: input)
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
