import Attacks
import AuditModel
import Networks
import TensorIR
import Tensors
import Testing

/// Observations that do not give the picture, of which nothing wrong may be claimed.
@Suite("Cascade's honesty")
struct CascadeHonestyTests {
  /// Three convolutions, nodes 0, 2 and 4, and a dense layer, node 7.
  private static func network(
    _ function: ActivationFunction, isFirst: Bool = true
  ) -> Network {
    Network(
      "small", input: isFirst ? [3, 8, 8] : [8, 8, 3],
      [
        "a": Convolution.square(12, 3, stride: 2, padding: 1, isFirst: isFirst),
        "b": Activation(function),
        "c": Convolution.square(20, 3, padding: 1, isFirst: isFirst), "d": Activation(function),
        "e": Convolution.square(12, 3, stride: 2, padding: 1, isFirst: isFirst),
        "f": Activation(function), "g": Flatten(), "h": Dense(outputs: 10),
      ])
  }

  /// Something that was done to an observation behind the attacker's back.
  struct Alteration: Sendable, CustomStringConvertible {
    var description: String
    /// Part of the reason that the chain gives; `nil` if closed forms lead around what is missing.
    var stop: String?
    /// Whether what is left determines the picture all the same.
    var isRecoverable = false
    var change: @Sendable (GradientSample) -> Observation
  }

  /// A gradient whose entries `change` gets relative to the root mean square of their tensor.
  private static func altered(
    _ sample: GradientSample, _ change: (ParameterTable.Key, Double) -> Double
  ) -> Observation {
    let sizes = Dictionary(
      uniqueKeysWithValues: sample.gradient.tensors.map { key, tensor in
        (key, tensor.summary().norm / Double(tensor.count).squareRoot())
      })
    return sample.observation(
      of: sample.gradient.mapped(.float32) { key, x in
        let size = sizes[key] ?? 1
        return size * change(key, x / size)
      })
  }

  static let alterations: [Alteration] = [
    Alteration(description: "weights a percent off", stop: "miss by") { sample in
      var generator = SplitMix64(seed: 4)
      var observation = sample.observation()
      observation.weights = sample.weights.mapped(.float32) { _, w in
        w * (1 + 0.01 * generator.normal())
      }
      return observation
    },
    Alteration(description: "gradients of convolutions with unstated noise", stop: "miss by") {
      var generator = SplitMix64(seed: 4)
      return altered($0) { key, x in key.node == 7 ? x : x + 0.03 * generator.normal() }
    },
    Alteration(description: "every small entry of a convolution dropped", stop: "miss by") {
      altered($0) { key, x in key.node == 4 && abs(x) < 0.3 ? 0 : x }
    },
    Alteration(description: "NaN in one convolution", isRecoverable: true) {
      altered($0) { key, x in key.node == 2 && x > 0 ? .nan : x }
    },
    Alteration(description: "infinity in one convolution", isRecoverable: true) {
      altered($0) { key, x in key.node == 2 && x > 0 ? .infinity : x }
    },
    Alteration(description: "a convolution of zeros", isRecoverable: true) {
      altered($0) { key, x in key.node == 2 ? 0 : x }
    },
    Alteration(description: "every convolution zero", stop: "zeros, NaN") {
      altered($0) { key, x in key.node < 7 ? 0 : x }
    },
    Alteration(description: "NaN in every convolution", stop: "zeros, NaN") {
      altered($0) { key, x in key.node < 7 ? .nan : x }
    },
    Alteration(description: "NaN in the weights", stop: "NaN or infinity") { sample in
      var observation = sample.observation()
      observation.weights = sample.weights.mapped(.float32) { key, w in
        key.node == 2 && w > 0 ? .nan : w
      }
      return observation
    },
    Alteration(description: "weights of another shape", stop: "the layer needs") { sample in
      var observation = sample.observation()
      observation.weights[2, .weight] = Tensor([1, 2, 3, 4], shape: [2, 2])
      return observation
    },
    Alteration(description: "a gradient of another shape", isRecoverable: true) { sample in
      var gradient = sample.observation().gradient
      gradient[2, .weight] = Tensor([1, 2, 3, 4], shape: [2, 2])
      return sample.observation(of: gradient)
    },
    Alteration(description: "no weights", stop: "has no weight") { sample in
      var observation = sample.observation()
      observation.weights = ParameterTable(convention: .channelsFirst)
      return observation
    },
  ]

  @Test("what was altered is never proven wrongly", arguments: alterations)
  func alteration(subject: Alteration) throws {
    let sample = try GradientSample(Self.network(.tanh))
    let knowledge = subject.change(sample).attacked()
    try expectHonesty(knowledge, sample)
    let stop = knowledge.chain?.stop
    #expect(subject.stop.map { stop?.contains($0) == true } ?? (stop == nil), "\(stop ?? "none")")
    #expect((knowledge.picture?.isProven == true) == subject.isRecoverable)
  }

  /// Proven means right, and what is not proven is at least finite.
  private func expectHonesty(_ knowledge: Knowledge, _ sample: GradientSample) throws {
    guard let picture = knowledge.picture else {
      #expect(knowledge.chain?.reachesInput != true)
      return
    }
    #expect(picture.isProven == knowledge.chain?.reachesInput)
    #expect(picture.samples[0].allSatisfy(\.isFinite) && picture.predictedError.isFinite)
    // Few equations may amplify rounding, but then the picture says so.
    if picture.isProven {
      let size = (sample.inputs[0].reduce(0) { $0 + $1 * $1 } / Double(sample.inputs[0].count))
        .squareRoot()
      let error = size * relativeError(picture.samples[0], sample.inputs[0])
      #expect(error < 8 * picture.predictedError && error < 0.1 * size)
    }
  }

  /// A layer with the sign of another convention has a solution of its own, far from the truth.
  @Test("another sign at one layer is not proven, and a time limit of zero leaves out the search")
  func sign() throws {
    let sample = try GradientSample(Self.network(.sigmoid), .uniform)
    let knowledge = Self.altered(sample) { key, x in key.node == 2 ? -x : x }
      .attacked(timeLimit: 0)
    #expect(knowledge.picture?.isProven != true && knowledge.chain?.reachesInput == false)
    #expect(knowledge.chain?.stop != nil && knowledge.chain?.jointSolve == nil)
  }

  @Test(
    "without one layer's gradient the rest is used, or the chain stops",
    arguments: [(.sigmoid, 0), (.sigmoid, 2), (.sigmoid, 4), (.relu, 0)]
      as [(ActivationFunction, Int)])
  func missingGradient(function: ActivationFunction, node: Int) throws {
    let sample = try GradientSample(Self.network(function), .uniform)
    let gradient = sample.observation().gradient.without(node, .weight)
    let knowledge = sample.observation(of: gradient).attacked()
    try expectHonesty(knowledge, sample)
    #expect(knowledge.chain?.reachesInput == true || knowledge.chain?.stop != nil)
  }

  /// With these weights, as many outputs as inputs are known, and hardly determine them.
  @Test("a picture that errors swamp is not proven, though it simulates to the same gradient")
  func swamped() throws {
    let sample = try GradientSample(Self.network(.sigmoid), .kaimingNormal)
    let gradient = sample.observation().gradient.without(0, .weight)
    let knowledge = sample.observation(of: gradient).attacked(timeLimit: 0)
    try expectHonesty(knowledge, sample)
    #expect(knowledge.chain?.stop?.contains("amplify") == true)
  }

  /// Behind two classes all loss gradients are parallel, and linear layers keep it so.
  @Test("a mean over a batch in front of a linear network is not proven")
  func mean() throws {
    let network = Network(
      "linear", input: [3, 6, 6],
      [
        "a": Networks.Convolution.square(8, 3, padding: 1),
        "b": Flatten(), "c": Dense(outputs: 2),
      ])
    let sample = try GradientSample(network, samples: 2)
    var observation = sample.observation()
    observation.batchSize = nil
    #expect(observation.attacked().picture?.isProven != true)
    observation.batchSize = 2
    #expect(observation.attacked().picture == nil)
  }

  @Test("of a batch of two no picture is claimed, whatever is stated", arguments: [2, 1, nil])
  func batch(stated: Int?) throws {
    let sample = try GradientSample(
      Self.network(.sigmoid), .uniform, samples: 2)
    var observation = sample.observation()
    observation.batchSize = stated
    #expect(observation.attacked().picture == nil)
  }

  @Test("batch statistics end the chain with that reason, or unproven where nobody says so")
  func trainingMode() throws {
    let network = Network(
      "normalised", input: [3, 8, 8],
      [
        "a": Networks.Convolution.square(12, 3, stride: 2, padding: 1),
        "b": BatchNormalization(axis: 0), "c": Activation(.relu),
        "d": Networks.Convolution.square(12, 3, padding: 1), "e": Activation(.relu),
        "f": Flatten(), "g": Dense(outputs: 10),
      ])
    let sample = try GradientSample(network, mode: .training)
    var observation = sample.observation()
    observation.isTrainingMode = true
    let stated = observation.attacked()
    #expect(stated.picture == nil)
    #expect(stated.chain?.stop?.contains("training mode") == true)
    observation.isTrainingMode = nil
    let unstated = observation.attacked()
    #expect(unstated.picture?.isProven != true && unstated.chain?.stop != nil)
  }

  @Test("too narrow a layer leaves a subspace of stated dimension")
  func narrow() throws {
    let network = Network(
      "narrow", input: [3, 12, 12],
      [
        "a": Networks.Convolution.square(2, 3, stride: 2), "b": Activation(.tanh),
        "c": Networks.Convolution.square(2, 2, stride: 2), "d": Activation(.tanh),
        "e": Flatten(), "f": Dense(outputs: 10),
      ])
    let sample = try GradientSample(network)
    let knowledge = sample.observation().attacked()
    let step = try #require(knowledge.chain?.steps.last)
    #expect(step.outcome == .subspace)
    #expect(try #require(step.rank) < step.unknowns)
    #expect(knowledge.chain?.stop?.contains("has \(step.unknowns) entries") == true)
    #expect(knowledge.picture?.isProven != true && knowledge.chain?.reachesInput == false)
  }

  @Test("a layer whose units are all off ends the chain")
  func silence() throws {
    let network = Self.network(.relu)
    let sample = try GradientSample(network) { key, w in
      key.node == 4 && key.role == .bias ? -100 : w
    }
    let knowledge = sample.observation().attacked()
    #expect(knowledge.picture == nil && knowledge.chain?.reachesInput != true)
  }

  /// A gradient of the dense layer alone tells its input; what is below is not known.
  @Test(
    "a layer that nothing leads through ends the chain",
    arguments: [
      ("custom", CustomLayer(className: "Swirl", carriesCode: false) as any Layer),
      ("unknown function", Activation(.unknown("swirl"))),
    ])
  func unknownLayer(name: String, layer: any Layer) throws {
    let layers: KeyValuePairs<String, any Layer> = [
      "a": Networks.Convolution.square(12, 3, padding: 1), "b": layer, "c": Flatten(),
      "d": Dense(outputs: 10),
    ]
    let known = Network(
      "known", input: [3, 6, 6],
      [
        "a": Networks.Convolution.square(12, 3, padding: 1), "b": Activation(.linear),
        "c": Flatten(), "d": Dense(outputs: 10),
      ])
    var observation = try GradientSample(known).observation()
    observation.network = Network("unknown", input: [3, 6, 6], layers)
    let knowledge = observation.attacked()
    #expect(knowledge.recoveries[3] != nil && knowledge.picture == nil)
    #expect(knowledge.chain?.reachesInput == false)
    #expect(knowledge.chain?.stop?.contains("'b'") == true, "\(knowledge.chain?.stop ?? "")")
  }

  @Test("a network whose shapes do not fit ends the chain")
  func shapes() throws {
    let sample = try GradientSample(Self.network(.tanh))
    var observation = sample.observation()
    observation.network.inputShapes = [[3, nil, nil]]
    #expect(observation.attacked().chain?.stop?.contains("shape") == true)
    observation.network = Self.network(.tanh, isFirst: false)
    let knowledge = observation.attacked()
    #expect(knowledge.picture?.isProven != true)
  }
}
