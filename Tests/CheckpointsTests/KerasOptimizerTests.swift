import Checkpoints
import Networks
import Tensors
import Testing

@Suite("Keras optimiser state")
struct KerasOptimizerTests {
  private func number(_ value: Double) -> Container.Dataset {
    .numbers(Tensor([value], shape: []), isInteger: true)
  }

  /// A container with `optimizer_weights/…` under the given names, in the given order.
  private func legacy(_ datasets: KeyValuePairs<String, Container.Dataset>) -> Container {
    Container(
      groups: ["", "optimizer_weights"],
      datasets: Dictionary(
        uniqueKeysWithValues: datasets.map { ("optimizer_weights/" + $0.key, $0.value) }),
      attributes: [
        "optimizer_weights": ["weight_names": .text(datasets.map(\.key), isScalar: false)]
      ])
  }

  private func values(_ sign: Double, _ shape: Int...) -> Container.Dataset {
    let count = shape.reduce(1, *)
    return .numbers(
      Tensor((0..<count).map { sign * Double($0) - (sign < 0 ? 1 : 0) }, shape: shape),
      isInteger: false)
  }

  @Test(
    "the slot is read off the name in every style",
    arguments: [
      ("Adam/m/conv/kernel:0", .firstMoment, "conv weight"),
      ("Adam/v/conv/kernel:0", .secondMoment, "conv weight"),
      ("Adam/dense_1/kernel/m:0", .firstMoment, "dense_1 weight"),
      ("Adam/dense_1/bias/v:0", .secondMoment, "dense_1 bias"),
      ("training/SGD/fc/kernel/momentum:0", .momentum, "SGD/fc weight"),
      ("SGD/fc/kernel/momentum:0", .momentum, "fc weight"),
      ("RMSprop/fc/kernel/rms:0", .secondMoment, "fc weight"),
      ("RMSprop/fc/kernel/momentum:0", .other, "fc weight"),
      ("adam/mlp_fc1_kernel_momentum", .firstMoment, "mlp_fc1 weight"),
      ("adam/mlp_fc1_bias_velocity", .secondMoment, "mlp_fc1 bias"),
      ("sgd/mlp_fc1_kernel_momentum", .momentum, "mlp_fc1 weight"),
      ("rmsprop/fc_kernel_momentum", .other, "fc weight"),
      ("adam/fc_kernel_gradient_accumulator", .accumulatedGradient, "fc weight"),
    ] as [(String, OptimizerSummary.Slot, String)])
  func styles(name: String, slot: OptimizerSummary.Slot, parameter: String) throws {
    let state = try #require(
      KerasOptimizer.named(
        in: legacy([name: .numbers(tensor(3), isInteger: false)]), configuration: nil))
    let found = try #require(state.slots.first)
    #expect(found.slot == slot && found.tensor.text == parameter + " 3")
  }

  @Test("counters and the learning rate are no slots")
  func scalars() throws {
    let state = try #require(
      KerasOptimizer.named(
        in: legacy([
          "adam/iteration": number(7),
          "adam/learning_rate": .numbers(Tensor([0.01], shape: []), isInteger: false),
          "adam/fc_kernel_momentum": .numbers(tensor(2, 3), isInteger: false),
        ]), configuration: #"{"optimizer_config": {"class_name": "Adam"}}"#))
    #expect(state.name == "Adam" && state.steps == 7 && state.learningRate == 0.01)
    #expect(state.slots.count == 1 && state.summary.tensorCount == 1)
  }

  @Test("no names, no state")
  func absent() {
    #expect(KerasOptimizer.named(in: Container(), configuration: nil) == nil)
    #expect(KerasOptimizer.named(in: legacy([:]), configuration: nil) == nil)
    #expect(KerasOptimizer.numbered(in: Container(), configuration: nil) == nil)
  }

  @Test("an iteration that is no whole number is not a step count", arguments: [-1, 0.5, .nan])
  func nonsenseSteps(value: Double) throws {
    let state = try #require(
      KerasOptimizer.named(in: legacy(["adam/iteration": number(value)]), configuration: nil))
    #expect(state.steps == nil)
  }

  @Test("numbered slots come parameter by parameter or slot by slot; the sign decides")
  func numberedSlots() {
    func slots(_ tensors: [Container.Dataset], _ optimizer: String = "adam") -> [String] {
      let arrays = tensors.enumerated().compactMap {
        index, dataset -> (path: String, tensor: Tensor)? in
        guard case .numbers(let tensor, _) = dataset else { return nil }
        return ("v/\(index)", tensor)
      }
      return KerasOptimizer.numbered(arrays, optimizer: optimizer).map {
        "\($0.slot.rawValue) \($0.tensor.path)"
      }
    }
    let (w, b) = (values(-1, 3, 2), values(-1, 2))
    let (ww, bb) = (values(1, 3, 2), values(1, 2))
    let expected = [
      "first moment v/0", "first moment v/2", "second moment v/1", "second moment v/3",
    ]
    #expect(slots([w, ww, b, bb]) == expected)
    #expect(
      slots([w, b, ww, bb])
        == ["first moment v/0", "first moment v/1", "second moment v/2", "second moment v/3"])
    #expect(
      slots([ww, w, bb, b])
        == ["first moment v/1", "first moment v/3", "second moment v/0", "second moment v/2"])
    #expect(slots([w, b], "sgd") == ["momentum v/0", "momentum v/1"])
    #expect(slots([w, b], "SGD") == ["momentum v/0", "momentum v/1"])
    #expect(slots([ww, bb], "rmsprop") == ["second moment v/0", "second moment v/1"])
    // One element at the end is the bias of a single output, unless the others pair without it.
    #expect(
      slots([w, b, values(-1, 1)], "sgd") == ["momentum v/0", "momentum v/1", "momentum v/2"])
    #expect(
      slots([w, b, ww, bb, values(0, 1), values(0, 1)], "adam")
        == ["first moment v/0", "first moment v/1", "second moment v/2", "second moment v/3"])
  }

  @Test("variables of a numbered file are sorted by number")
  func order() throws {
    var datasets: [String: Container.Dataset] = ["optimizer/vars/0": number(3)]
    datasets["optimizer/vars/1"] = .numbers(Tensor([0.5], shape: []), isInteger: false)
    for index in 2..<12 { datasets["optimizer/vars/\(index)"] = values(-1, index) }
    let state = try #require(
      KerasOptimizer.numbered(
        in: Container(groups: ["", "optimizer", "optimizer/vars"], datasets: datasets),
        configuration: #"{"compile_config": {"optimizer": {"class_name": "SGD"}}}"#))
    #expect(state.steps == 3 && state.learningRate == 0.5 && state.name == "SGD")
    #expect(state.slots.map(\.tensor.path) == (2..<12).map { "optimizer/vars/\($0)" })
    #expect(state.slots.allSatisfy { $0.slot == .momentum })
  }
}
