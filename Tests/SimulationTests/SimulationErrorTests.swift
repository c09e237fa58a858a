import CPUBackend
import Networks
import Simulation
import Tensors
import Testing

@Suite("Errors of simulations")
struct SimulationErrorTests {
  private let network = Network(
    "small", input: [2], ["fc": Dense(outputs: 3, hasBias: true)])

  private func weights(_ value: Double = 0.5) -> ParameterTable {
    ParameterTable(
      convention: .channelsLast,
      [
        .init(node: 0, role: .weight): Tensor(Array(repeating: value, count: 6), shape: [2, 3]),
        .init(node: 0, role: .bias): Tensor([0, 0, 0], shape: [3]),
      ])
  }

  private func fails(
    _ network: Network? = nil, _ weights: ParameterTable? = nil, inputs: Tensor? = nil,
    labels: [Double] = [0, 2], _ training: ClientTraining = ClientTraining()
  ) -> SimulationError? {
    do throws(SimulationError) {
      let client = try Client(
        network ?? self.network, weights: weights ?? self.weights(),
        backend: CPUBackend(threads: 1))
      let data = try ClientData(
        inputs: inputs ?? Tensor([1, 2, 3, 4], shape: [2, 2]), labels: labels)
      _ = try client.train(on: data, training)
      return nil
    } catch {
      return error
    }
  }

  @Test("what fits is computed")
  func sound() { #expect(fails() == nil) }

  @Test("samples of another shape name both shapes")
  func shape() {
    let error = fails(inputs: Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
    #expect(error?.subject == .inputs && error?.reason == .inputShape([3], needed: [2]))
    #expect(error?.explanation.contains("shape 3; the model needs 2") == true)
  }

  @Test("labels out of range, between classes, missing or too many are told apart")
  func labels() {
    #expect(fails(labels: [0, 3])?.reason == .label(3, sample: 1, classes: 3))
    #expect(fails(labels: [0, -1])?.reason == .label(-1, sample: 1, classes: nil))
    #expect(fails(labels: [0.5, 1])?.reason == .label(0.5, sample: 0, classes: nil))
    #expect(fails(labels: [])?.reason == .labelCount(0, samples: 2))
    #expect(fails(labels: [0, 1, 2])?.reason == .labelCount(3, samples: 2))
    #expect(fails(labels: [0, 3])?.subject == .labels)
  }

  @Test("numbers that are not finite are found where they are")
  func finite() {
    let error = fails(inputs: Tensor([1, 2, 3, -.infinity], shape: [2, 2]))
    #expect(error?.reason == .input(-.infinity, sample: 1))
    #expect(fails(nil, weights(.nan))?.reason == .notFinite(layer: "fc", step: 1))
    var training = ClientTraining()
    training.length = .steps(3, learningRate: 1e308)
    #expect(fails(inputs: Tensor([9, 9, -9, 9], shape: [2, 2]), training)?.subject == .settings)
  }

  @Test("a guessed architecture, a missing weight and another loss are refused")
  func model() {
    var guessed = network
    guessed.origin = .inferred
    #expect(fails(guessed)?.reason == .noArchitecture(isInferred: true))
    var incomplete = weights()
    incomplete[0, .bias] = nil
    guard case .parameter(let mismatch) = fails(nil, incomplete)?.reason else {
      Issue.record("no mismatch")
      return
    }
    #expect(mismatch.node == "fc" && mismatch.role == .bias)
    var squared = network
    squared.loss = "mean-squared-error"
    #expect(fails(squared)?.reason == .loss(name: "mean-squared-error", outputs: [3]))
    #expect(fails(squared)?.subject == .model)
    squared.loss = "triplet"
    #expect(fails(squared)?.reason == .loss(name: "triplet", outputs: [3]))
  }

  @Test("tokens beyond the table are refused before anything reads it")
  func tokens() {
    let network = Network(
      "text", input: [2],
      [
        "embedding": Embedding(tokens: 4, width: 1), "flatten": Flatten(),
        "fc": Dense(outputs: 2, hasBias: false),
      ])
    let weights = ParameterTable(
      convention: .channelsLast,
      [
        .init(node: 0, role: .embeddings): Tensor([1, 2, 3, 4], shape: [4, 1]),
        .init(node: 2, role: .weight): Tensor([1, 2, 3, 4], shape: [2, 2]),
      ])
    func check(_ last: Double) -> SimulationError? {
      fails(network, weights, inputs: Tensor([0, 3, 1, last], shape: [2, 2]), labels: [0, 1])
    }
    #expect(check(2) == nil)
    for token in [4.0, -1, 1.5] {
      #expect(check(token)?.reason == .token(token, sample: 1, tokens: 4))
    }
  }
}
