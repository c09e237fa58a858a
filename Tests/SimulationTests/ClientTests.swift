import CPUBackend
import Checkpoints
import Networks
import Simulation
import Tensors
import Testing

@Suite("Clients")
struct ClientTests {
  /// Double precision on both sides, in other orders of summation.
  private let tolerance = 1e-10

  @Test(
    "the gradient is PyTorch's",
    arguments: ["lenet_gradient", "lenet_batch_gradient", "resnet_gradient"])
  func gradient(name: String) throws {
    let fixture = try ClientFixture(name)
    let result = try fixture.client().train(on: fixture.data(), ClientTraining())
    #expect(fixture.kind == .gradient)
    #expect(result.sent.relativeDistance(from: fixture.expected) < tolerance)
    #expect(result.batchSize == fixture.facts.batchSize && result.steps == 1)
    #expect(result.sent.keys == fixture.expected.keys)
  }

  /// Keras computed in single precision: a few times 2⁻²⁴, and ten times that behind normalisations.
  @Test(
    "the gradient is Keras's",
    arguments: [
      ("mlp.h5", "mlp_b1"), ("mlp.h5", "mlp_b4"), ("convolutions.keras", "convolutions_b1"),
      ("nested.h5", "nested_b1"), ("text.keras", "text_b1"),
    ])
  func keras(model: String, name: String) throws {
    let folder = "frameworks/keras"
    let fixture = try ClientFixture(
      model: "\(folder)/\(model)", truth: "\(folder)/truth_\(name).h5",
      gradient: "\(folder)/gradient_\(name).h5")
    let result = try fixture.client().train(on: fixture.data(), ClientTraining())
    #expect(result.sent.relativeDistance(from: fixture.expected) < 1e-5)
    #expect(result.sent.keys == fixture.expected.keys)
  }

  @Test("more samples than are computed at once give the same mean")
  func chunks() throws {
    let fixture = try ClientFixture("lenet_batch_gradient")
    let (client, data) = (try fixture.client(), try fixture.data())
    let repeated = (0..<25).flatMap { _ in data.inputs.elements() }
    let large = try ClientData(
      inputs: Tensor(repeated, shape: [75] + data.inputs.shape.dropFirst()),
      labels: (0..<25).flatMap { _ in data.labels.map(Double.init) })
    let result = try client.train(on: large, ClientTraining())
    #expect(result.sent.relativeDistance(from: fixture.expected) < tolerance)
    #expect(result.batchSize == 75)
    #expect(abs(result.loss - (try client.train(on: data, ClientTraining()).loss)) < 1e-12)
  }

  @Test(
    "the update of local training is PyTorch's, with a smaller last batch too",
    arguments: ["lenet_update", "resnet_uneven_update"])
  func update(name: String) throws {
    let fixture = try ClientFixture(name)
    var training = ClientTraining()
    training.batchSize = 2
    training.length = .epochs(2, learningRate: 0.2)
    let result = try fixture.client().train(on: fixture.data(), training)
    #expect(fixture.kind == .update && fixture.facts.learningRate == 0.2)
    #expect(result.sent.relativeDistance(from: fixture.expected) < tolerance)
    #expect(result.batchSize == fixture.facts.batchSize && result.steps == fixture.facts.localSteps)
  }

  @Test("per-sample clipping is that of the definition in PyTorch")
  func clipping() throws {
    let fixture = try ClientFixture("lenet_clipped")
    let (client, data) = (try fixture.client(), try fixture.data())
    var training = ClientTraining()
    let whole = try client.train(on: data, training)
    training.clippingNorm = 2.8
    let clipped = try client.train(on: data, training)
    #expect(clipped.sent.relativeDistance(from: fixture.expected) < tolerance)
    #expect(whole.sent.relativeDistance(from: fixture.expected) > 0.01)
    #expect(clipped.sent.norm <= 2.8)
    #expect(abs(clipped.loss - whole.loss) < 1e-12 && clipped.batchSize == 4)
    // Where nothing is above the norm, only the order of summation differs.
    training.clippingNorm = 1e6
    let loose = try client.train(on: data, training)
    #expect(loose.sent.relativeDistance(from: whole.sent) < 1e-12)
  }

  @Test("one step moves the weights by the rate times the gradient, against it")
  func oneStep() throws {
    let fixture = try ClientFixture("lenet_batch_gradient")
    let (client, data) = (try fixture.client(), try fixture.data())
    var training = ClientTraining()
    let gradient = try client.train(on: data, training)
    training.length = .steps(1, learningRate: 0.25)
    var update = try client.train(on: data, training)
    for key in update.sent.keys {
      let moved = update.sent[key.node, key.role]
      update.sent[key.node, key.role] = moved.map { tensor in
        Tensor(tensor.elements().map { $0 / -0.25 }, shape: tensor.shape)
      }
    }
    // The difference of weights near one keeps about thirteen digits of a step of a hundredth.
    #expect(update.sent.relativeDistance(from: gradient.sent) < 1e-11)
  }

  @Test("batches follow the stated order, and steps begin again after the last")
  func batches() {
    var training = ClientTraining()
    training.batchSize = 2
    training.length = .epochs(2, learningRate: 1)
    #expect(training.batches(of: 5) == [0..<2, 2..<4, 4..<5, 0..<2, 2..<4, 4..<5])
    training.length = .steps(4, learningRate: 1)
    #expect(training.batches(of: 5) == [0..<2, 2..<4, 4..<5, 0..<2])
    training.batchSize = 9
    #expect(training.batches(of: 5) == [0..<5, 0..<5, 0..<5, 0..<5])
    training.length = .gradient
    #expect(training.batches(of: 5) == [0..<5])
  }
}
