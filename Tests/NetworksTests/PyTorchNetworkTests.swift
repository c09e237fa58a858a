import Foundation
import Networks
import TensorIR
import Testing

/// What PyTorch makes of the benchmark networks; `Tests/Fixtures/networks/make_networks.py` wrote it.
///
/// The parameters and the batch are drawn on both sides by the documented generator, so these tests
/// hold the generator, the initialisations and the networks together.
@Suite("Benchmark networks beside PyTorch")
struct PyTorchNetworkTests {
  struct Fixture: Decodable {
    struct Digest: Decodable {
      var norm: Double
      var projection: Double
    }

    struct Entry: Decodable {
      var initialization: String
      var input: [Int]
      var logits: [Double]
      var loss: Double
      var gradients: [String: Digest]
      var mixedProduct: Digest
    }

    var labels: [Int]
    var networks: [String: Entry]
  }

  static let architectures: [String: Network] = [
    "perceptron": .perceptron(widths: [16, 12, 5], input: [3, 4, 4]),
    "lenet": .leNet(classes: 5),
    "convnet": .convNet(width: 2, classes: 5, input: [3, 16, 16]),
    "resnet20": ResNet(.basic, blocks: [3, 3, 3], width: 4, stem: .small)
      .network(classes: 5, input: [3, 8, 8]),
    "resnet-bottleneck": ResNet(.bottleneck, blocks: [1, 2], width: 4, stem: .large)
      .network(classes: 5, input: [3, 32, 32]),
    "vgg": VGG(convolutions: [1, 1, 2, 2, 2], isNormalized: false, width: 2, head: .small)
      .network(classes: 5),
    "vgg-normalized": VGG(
      convolutions: [1, 1, 2, 2, 2], isNormalized: true, width: 2, head: .small
    ).network(classes: 5),
    "vit": ViT(patch: 4, width: 12, depth: 2, heads: 3, hidden: 20)
      .network(classes: 5, input: [3, 8, 8]),
    "vit-mean": ViT(patch: 4, width: 12, depth: 1, heads: 2, readout: .mean)
      .network(classes: 5, input: [3, 8, 12]),
  ]

  static func fixture() throws -> Fixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/networks/networks.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
  }

  @Test("the fixture and this file know the same networks")
  func names() throws {
    #expect(try Self.fixture().networks.keys.sorted() == Self.architectures.keys.sorted())
  }

  @Test(
    "loss, gradients and mixed product agree in double precision",
    arguments: architectures.keys.sorted())
  func agreement(name: String) throws {
    let fixture = try Self.fixture()
    let entry = try #require(fixture.networks[name])
    let network = try #require(Self.architectures[name])
    let initialization = try #require(Initialization(rawValue: entry.initialization))
    #expect(network.inputShapes == [entry.input])
    let table = try network.initialParameters(initialization, seed: 1, statistics: .drawn)
    let samples = fixture.labels.count
    let forward = try network.graph(samples: samples)
    var program = try network.gradientGraph(
      samples: samples, loss: .softmaxCrossEntropy(smoothing: 0))

    // Bound in the graph's order; drawn in the order of PyTorch.
    var bindings: [Value: [Double]] = [:]
    for (parameter, elements) in zip(
      forward.parameters, try network.elements(of: forward.parameters, from: table))
    {
      bindings[parameter.value] = elements
    }
    let x = program.inputs[0]
    bindings[x] = drawn(x.type.elementCount, seed: 2)
    bindings[program.target] = fixture.labels.flatMap { label in
      (0..<5).map { $0 == label ? 1.0 : 0 }
    }
    var stream = SplitMix64(seed: 3)
    var directions: [Value] = []
    let order = program.parameters.indices.sorted {
      (program.parameters[$0].key.node, program.parameters[$0].key.role)
        < (program.parameters[$1].key.node, program.parameters[$1].key.role)
    }
    for (index, parameter) in program.parameters.enumerated() {
      directions.append(program.graph.input("direction\(index)", parameter.value.type))
    }
    for index in order {
      bindings[directions[index]] = network.arrangement(
        of: program.parameters[index].parameter, in: .channelsFirst
      ).graphElements(drawn(program.parameters[index].value.type.elementCount, &stream))
    }
    let mixed = program.mixedProduct(along: directions)[0]

    let results = ReferenceInterpreter().evaluate(
      [program.loss, mixed] + order.map { program.parameters[$0].gradient }, in: program.graph,
      inputs: bindings)
    let last = try #require(forward.featureMaps[network.nodes.count - 1]).value
    let logits = ReferenceInterpreter().evaluate(last, in: forward.graph, inputs: bindings)
    #expect(difference(logits, entry.logits) <= 1e-10)
    #expect(difference(results[0], [entry.loss]) <= 1e-10)

    var projection = SplitMix64(seed: 4)
    for (place, index) in order.enumerated() {
      let key = program.parameters[index].key
      let name = network.nodes[key.node].name + "." + key.role.pyTorchName
      let expected = try #require(entry.gradients[name], "\(name)")
      // Back to the order of PyTorch, in which the projection was drawn.
      let gradient = network.arrangement(
        of: program.parameters[index].parameter, in: .channelsFirst
      ).tableElements(results[place + 2])
      expect(gradient, expected, projection: drawn(gradient.count, &projection), name)
    }
    #expect(entry.gradients.count == order.count)
    expect(
      results[1], entry.mixedProduct,
      projection: drawn(results[1].count, &projection), "mixed product")
  }

  private func drawn(_ count: Int, seed: UInt64) -> [Double] {
    var stream = SplitMix64(seed: seed)
    return drawn(count, &stream)
  }

  private func drawn(_ count: Int, _ stream: inout SplitMix64) -> [Double] {
    (0..<count).map { _ in stream.uniform(-1, 1) }
  }

  private func expect(
    _ found: [Double], _ expected: Fixture.Digest, projection: [Double], _ name: String
  ) {
    let norm = found.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let product = zip(found, projection).reduce(0) { $0 + $1.0 * $1.1 }
    // Sums in another order: far below this for values of a few thousand roundings.
    #expect(abs(norm - expected.norm) <= 1e-10 * expected.norm, "\(name)")
    #expect(abs(product - expected.projection) <= 1e-10 * expected.norm, "\(name)")
  }

  private func difference(_ found: [Double], _ expected: [Double]) -> Double {
    let error = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    return found.count == expected.count
      ? error / (expected.map(abs).max() ?? 1) : .infinity
  }
}

extension ParameterRole {
  /// The last part of the name that PyTorch gives it.
  fileprivate var pyTorchName: String {
    switch self {
    case .scale: "weight"
    case .shift: "bias"
    case .runningVariance: "running_var"
    case .other("output_weight"): "out_proj.weight"
    case .other("output_bias"): "out_proj.bias"
    default: description
    }
  }
}
