import Attacks
import AuditModel
import CPUBackend
import Networks
import Simulation
import TensorIR
import Tensors
import Testing

@Suite("Federated matching")
struct FederatedMatchingTests {
  static let networks = [
    FederatedSample.dense, FederatedSample.convolutional(),
    FederatedSample.convolutional(isFirst: false),
  ]

  /// Truncation is of order step², rounding of order 1e-16 / step.
  @Test(
    "the gradient is the slope of the objective", arguments: networks,
    GradientMatching.Distance.allCases)
  func slope(network: Network, distance: GradientMatching.Distance) throws {
    let sample = try FederatedSample(network)
    let isPicture = network.inputShapes[0].count == 3
    let objective = try sample.objective(distance, totalVariation: isPicture ? 0.03 : 0)
    let gradient = try objective.evaluate(at: sample.candidate).gradient
    var random = SplitMix64(seed: 11)
    for _ in 0..<3 {
      let direction = gradient.map { _ in random.uniform(-1, 1) }
      let step = 1e-5
      let ends = try [step, -step].map { step in
        try objective.evaluate(at: zip(sample.candidate, direction).map { $0 + step * $1 })
          .objective
      }
      let exact = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(exact - (ends[0] - ends[1]) / (2 * step)) <= 1e-8 * max(abs(exact), 0.1))
      #expect(abs(exact) > 1e-5)
    }
  }

  /// Double precision on both sides, in other orders of summation.
  @Test(
    "update, objective and gradient are those of PyTorch through the steps",
    arguments: try FederatedFixture.read().keys.sorted())
  func pyTorch(name: String) throws {
    let fixture = try #require(try FederatedFixture.read()[name])
    let compared = fixture.compared.compactMap(fixture.key)
    #expect(compared.count == fixture.compared.count)
    let objective = try FederatedObjective(
      network: fixture.network, weights: fixture.table(fixture.parameters),
      observed: fixture.table(fixture.observed), keys: compared.isEmpty ? nil : Set(compared),
      labels: fixture.labels,
      plan: FederatedPlan(
        batches: fixture.batches.map { $0[0]..<$0[1] }, learningRate: fixture.rate),
      distance: #require(GradientMatching.Distance(rawValue: fixture.distance)),
      totalVariation: fixture.total_variation,
      loss: Loss(
        fixture.outputs == 1 ? .binaryCrossEntropy : .softmaxCrossEntropy,
        smoothing: fixture.smoothing),
      backend: CPUBackend(threads: 1), precision: .double, snapshots: 2)
    let (value, gradient) = try objective.evaluate(at: fixture.x)
    #expect(abs(value - fixture.objective) < 1e-12)
    #expect(relativeError(gradient, fixture.gradient) < 1e-10)
    let parameters = try fixture.network.graph(samples: 1).trainable
    let expected = try fixture.network.elements(
      of: parameters, from: fixture.table(fixture.update))
    for (own, other) in zip(try objective.update(of: fixture.x), expected) {
      #expect(relativeError(own, other) < 1e-12)
    }
  }

  @Test("the update is that of a simulated client", arguments: networks)
  func client(network: Network) throws {
    let sample = try FederatedSample(network)
    let objective = try sample.objective()
    let sent = try objective.sent(by: sample.candidate, sample)
    var training = ClientTraining()
    training.batchSize = 2
    training.length = .epochs(2, learningRate: sample.plan.learningRate)
    let client = try Client(
      network, weights: sample.weights, backend: CPUBackend(threads: 1)
    ).train(
      on: ClientData(
        inputs: Tensor(sample.candidate, shape: objective.shape),
        labels: sample.labels.map(Double.init)), training)
    #expect(client.steps == sample.plan.batches.count && sent.keys == client.sent.keys)
    for key in sent.keys {
      // Programs differ in what they compute besides, and thus in the order of sums.
      let expected = client.sent.tensors[key]?.elements() ?? []
      #expect(relativeError(sent.tensors[key]?.elements() ?? [], expected) < 1e-12)
    }
  }

  /// An update of one step is the gradient times −η, and neither distance's gradient knows more.
  @Test("one step over all samples matches as a single gradient does", arguments: networks)
  func oneStep(network: Network) throws {
    let plan = FederatedPlan(samples: 3, batchSize: 3, steps: 1, learningRate: 0.25)
    let sample = try FederatedSample(network, plan)
    let federated = try sample.objective().evaluate(at: sample.candidate)
    let graph = try GradientMatching().evaluation(of: network, samples: 3, loss: sample.loss)
    let program = try CPUBackend(threads: 1).compile(graph, in: .double)
    for parameter in try network.graph(samples: 1).parameters {
      program.bind(
        try network.elements(of: [parameter], from: sample.weights)[0], to: parameter.name)
      guard parameter.key.role.isTrainable else { continue }
      let update = try network.elements(of: [parameter], from: sample.observed)[0]
      program.bind(
        update.map { $0 / -plan.learningRate },
        to: GradientMatching.Name.observed(parameter.name))
    }
    program.bind(sample.candidate, to: GradientMatching.Name.input)
    program.bind(
      sample.labels.flatMap { label in (0..<4).map { $0 == label ? 1 : 0 } },
      to: GradientMatching.Name.target)
    try program.run()
    // Differences of weights near 0.3 are good to about 1e-15 of steps near 1e-2.
    #expect(
      abs(federated.objective - program.scalar(of: GradientMatching.Name.objective)) < 1e-12)
    #expect(
      relativeError(
        federated.gradient, program.elements(of: GradientMatching.Name.gradient)) < 1e-10)
  }

  @Test("the inputs that were trained on are at no distance, and nothing leads away from them")
  func truth() throws {
    var sample = try FederatedSample(FederatedSample.convolutional())
    sample.observed = try sample.objective().sent(by: sample.candidate, sample)
    for distance in GradientMatching.Distance.allCases {
      let (value, gradient) = try sample.objective(distance).evaluate(at: sample.candidate)
      #expect(abs(value) < 1e-15 && gradient.allSatisfy { abs($0) < 1e-13 })
    }
  }

  @Test("gradients do not depend on how many states are kept", arguments: [0, 1, 2, 3, 8])
  func snapshots(count: Int) throws {
    let plan = FederatedPlan(samples: 5, batchSize: 2, steps: 20, learningRate: 0.1)
    let sample = try FederatedSample(FederatedSample.convolutional(), plan)
    let (value, gradient) = try sample.objective(snapshots: 100).evaluate(at: sample.candidate)
    let own = try sample.objective(snapshots: count).evaluate(at: sample.candidate)
    #expect(own.objective == value && own.gradient == gradient)
  }

  @Test("only the stated parameters are compared, and the others are trained all the same")
  func subset() throws {
    var sample = try FederatedSample(FederatedSample.dense)
    let keys: Set = [ParameterTable.Key(node: 2, role: .weight)]
    let before = try sample.objective(keys: keys).evaluate(at: sample.candidate)
    let all = try sample.objective().evaluate(at: sample.candidate)
    #expect(before.objective != all.objective)
    for key in sample.observed.keys where !keys.contains(key) {
      sample.observed[key.node, key.role] = nil
    }
    let without = try sample.objective().evaluate(at: sample.candidate)
    #expect(without.objective == before.objective && without.gradient == before.gradient)
    // What the first layer learns moves what the third one sends.
    let first = sample.weights[0, .weight]
    sample.weights[0, .weight] = first.map {
      Tensor($0.elements().map { $0 * 1.5 }, shape: $0.shape)
    }
    let moved = try sample.objective().evaluate(at: sample.candidate)
    #expect(moved.objective != before.objective)
  }

  /// 2⁻²⁴ for each of a few hundred sums, and more where terms cancel.
  @Test("single precision gives the gradient to about a thousandth")
  func single() throws {
    let sample = try FederatedSample(FederatedSample.convolutional())
    let exact = try sample.objective().evaluate(at: sample.candidate)
    let rounded = try sample.objective(in: .single).evaluate(at: sample.candidate)
    #expect(abs(rounded.objective - exact.objective) < 1e-5)
    #expect(relativeError(rounded.gradient, exact.gradient) < 1e-3)
    #expect(rounded.gradient != exact.gradient)
  }

  @Test("what cannot be followed is refused with a reason")
  func refused() throws {
    func refusal(_ network: Network, labels: [Int] = [0], keys: Set<ParameterTable.Key>? = nil)
      -> String?
    {
      let plan = FederatedPlan(samples: 1, batchSize: 1, steps: 2, learningRate: 0.1)
      let weights = try? network.initialParameters(.pyTorch, seed: 1)
      let empty = ParameterTable(convention: .channelsFirst)
      do throws(NotInvertible) {
        _ = try FederatedObjective(
          network: network, weights: weights ?? empty, observed: weights ?? empty, keys: keys,
          labels: labels, plan: plan, distance: .cosine, loss: .softmaxCrossEntropy(smoothing: 0),
          backend: CPUBackend(threads: 1), precision: .single)
        return nil
      } catch {
        return error.description
      }
    }
    let custom = Network(
      "custom", input: [4],
      ["a": CustomLayer(className: "Odd", carriesCode: false), "b": Dense(outputs: 2)])
    #expect(refusal(custom)?.contains("'a'") == true)
    let tokens = Network(
      "tokens", input: [3],
      ["a": Embedding(tokens: 5, width: 2), "b": Flatten(), "c": Dense(outputs: 2)])
    #expect(refusal(tokens)?.contains("tokens") == true)
    #expect(refusal(FederatedSample.dense, labels: [4])?.contains("label is 4") == true)
    #expect(
      refusal(FederatedSample.dense, keys: [.init(node: 1, role: .weight)])?.contains("'b'")
        == true)
    #expect(refusal(FederatedSample.dense, keys: [])?.contains("no parameter") == true)
    let binary = Network("binary", input: [4], ["a": Dense(outputs: 1)])
    #expect(refusal(binary)?.contains("binary") == true)
    #expect(refusal(FederatedSample.dense) == nil)
  }
}
