import Checkpoints
import Networks
import Tensors
import Testing

@Suite("Meaning of files")
struct FixtureMeaningTests {
  private func load(_ name: String, as role: FileRole = .model) throws -> Contents {
    try CheckpointReader(sandbox: SandboxedReader(executable: Place.executable))
      .read(Place.fixtures + "/" + name, as: role).contents
  }

  private static let mlp = [
    "fc1 bias 12", "fc1 weight 196×12", "logits bias 10", "logits weight 12×10",
  ]

  @Test(
    "every format names the same parameters",
    arguments: [
      ("keras/mlp.h5", "keras-legacy-h5", mlp), ("keras/mlp.keras", "keras-archive", mlp),
      ("keras/mlp.weights.h5", "keras-weights-h5", mlp),
      ("keras/adam_step1.h5", "keras-legacy-h5", mlp),
      ("keras/adam_step1.weights.h5", "keras-weights-h5", mlp),
      (
        "keras/nested.keras", "keras-archive",
        [
          "encoder/inner_fc bias 12", "encoder/inner_fc weight 196×12", "head bias 10",
          "head weight 12×10",
        ]
      ),
      (
        "keras/text.weights.h5", "keras-weights-h5",
        [
          "lstm bias 24", "lstm recurrent_kernel 6×24", "lstm weight 8×24", "out bias 5",
          "out weight 6×5", "tokens embeddings 40×8",
        ]
      ),
      (
        "keras/convolutions.h5", "keras-legacy-h5",
        [
          "depthwise bias 6", "depthwise weight 3×3×3×2", "grouped bias 4",
          "grouped weight 3×3×3×4",
          "head bias 10", "head weight 6×10", "plain bias 4", "plain weight 3×3×1×4",
          "separable bias 6", "separable depthwise_kernel 3×3×4×1",
          "separable pointwise_kernel 1×1×4×6", "transposed bias 3", "transposed weight 3×3×3×4",
        ]
      ),
      (
        "tf_keras/cnn_save_weights.h5", "keras-legacy-h5",
        [
          "bn running_mean 4", "bn running_variance 4", "bn scale 4", "bn shift 4", "conv bias 4",
          "conv weight 5×5×1×4", "fc bias 10", "fc weight 100×10",
        ]
      ),
      (
        "torch/state.h5", "tensor-dump",
        ["fc1 bias 12", "fc1 weight 12×196", "fc2 bias 10", "fc2 weight 10×12"]
      ),
      (
        "torch/state_nested.h5", "tensor-dump",
        ["fc1 bias 12", "fc1 weight 12×196", "fc2 bias 10", "fc2 weight 10×12"]
      ),
      (
        "flax/mlp_params.h5", "tensor-dump",
        ["Dense_0 bias 12", "Dense_0 weight 196×12", "Dense_1 bias 10", "Dense_1 weight 12×10"]
      ),
      (
        "flower/b1_before.h5", "tensor-dump",
        [
          "round_1_server_arr_0 bias 12", "round_1_server_arr_0 weight 12×196",
          "round_1_server_arr_2 bias 10", "round_1_server_arr_2 weight 10×12",
        ]
      ),
      (
        "layout/gradient_b1.h5", "leakaudit-layout",
        ["1 bias 12", "1 weight 12×196", "3 bias 10", "3 weight 10×12"]
      ),
    ])
  func parameters(name: String, format: String, expected: [String]) throws {
    let contents = try load(name)
    #expect(contents.format == format)
    #expect(contents.parameters.map(\.text).sorted() == expected)
    #expect(contents.omissions.isEmpty && contents.hazards.isEmpty)
  }

  @Test(
    "a gradient is found wherever a file keeps it",
    arguments: [
      ("keras/gradient_mlp_b1.h5", [""], 1), ("keras/gradient_mlp_b4.h5", [""], 4),
      ("tf_keras/gradient_deep_b1.h5", [""], 1), ("torch/gradient_b1.h5", [""], 1),
      ("torch/gradient_gzip_shuffle.h5", [""], 1),
      ("torch/steps.h5", ["step_000000", "step_000001", "step_000002"], 1),
      ("torch/steps_stacked.h5", ["step 0", "step 1", "step 2"], nil),
      ("flax/mlp_gradient_b1.h5", [""], 1), ("flax/mlp_both_b4.h5", [""], 4),
      ("layout/gradient_b4.h5", [""], 4),
    ] as [(String, [String], Int?)])
  func gradients(name: String, labels: [String], batchSize: Int?) throws {
    let contents = try load(name, as: .gradient)
    #expect(contents.gradients.map(\.label) == labels)
    for record in contents.gradients {
      #expect(record.kind == .gradient && record.facts.batchSize == batchSize)
      #expect(record.tensors.contains { $0.role == .weight } && record.tensors.count >= 4)
    }
    #expect((contents.architecture != nil) == (name.contains("keras/") || name.contains("layout/")))
  }

  @Test(
    "optimiser state is found in every writer's form",
    arguments: [
      ("keras/adam_step1.h5", [.firstMoment, .secondMoment], 8),
      ("keras/adam_step1.keras", [.firstMoment, .secondMoment], 8),
      ("keras/adam_step1.weights.h5", [.firstMoment, .secondMoment], 8),
      ("keras/sgd_momentum_step1.h5", [.momentum], 4),
      ("keras/sgd_momentum_step1.keras", [.momentum], 4),
      ("tf_keras/mlp_adam_step1.h5", [.firstMoment, .secondMoment], 8),
      ("tf_keras/mlp_adam_step1.weights.h5", [.firstMoment, .secondMoment], 8),
      ("tf_keras/mlp_legacy_adam_step1.h5", [.firstMoment, .secondMoment], 8),
      ("tf_keras/mlp_legacy_sgd_momentum_step1.h5", [.momentum], 4),
      ("torch/adam_step1.h5", [.firstMoment, .secondMoment], 8),
      ("torch/sgd_momentum_step1.h5", [.momentum], 4),
      ("flax/mlp_adam_step1.h5", [.firstMoment, .secondMoment], 8),
    ] as [(String, [OptimizerSummary.Slot], Int)])
  func optimizers(name: String, slots: [OptimizerSummary.Slot], count: Int) throws {
    let state = try #require(try load(name).optimizer)
    #expect(state.summary.slots == slots && state.slots.count == count)
    // PyTorch's SGD keeps no counter.
    #expect(state.steps == (name == "torch/sgd_momentum_step1.h5" ? nil : 1))
    let known = try load(name).parameters.map(\.tensor.shape)
    #expect(state.slots.allSatisfy { known.contains($0.tensor.tensor.shape) })
  }

  @Test("a file without optimiser state has none", arguments: ["keras/mlp.h5", "torch/state.h5"])
  func noOptimizer(name: String) throws { #expect(try load(name).optimizer == nil) }

  @Test("architectures of all formats agree")
  func architectures() throws {
    let chain = ["flatten", "dense", "activation", "dense"]
    for name in ["mlp.h5", "mlp.keras", "mlp.weights.h5", "adam_step1.weights.h5"] {
      let network = try #require(try load("keras/" + name).architecture)
      #expect(network.nodes.map(\.layer.kind) == chain, "\(name)")
      #expect(network.inputShapes == [[14, 14, 1]] && network.origin == .declared)
      #expect(network.nodes.last?.outputShape == [10])
    }
    #expect(try load("keras/pair_before.weights.h5").architecture == nil)
    let two = try #require(try load("keras/two_inputs.keras").architecture)
    #expect(two.inputShapes == [[14, 14, 1], [6]])
    let coded = try #require(try load("keras/lambda.keras").architecture)
    #expect(coded.nodes.contains { ($0.layer as? CustomLayer)?.carriesCode == true })
  }

  @Test("the truth of the project's own layout is kept apart")
  func truth() throws {
    let truth = try #require(try load("layout/gradient_b4.h5").truth)
    #expect(truth.inputs.shape == [4, 1, 14, 14] && truth.labels == [8, 9, 7, 7])
    #expect(try load("torch/truth_b4.h5", as: .truth).truth?.labels == [8, 9, 7, 7])
  }

  @Test("two clients in one file are told apart, not mixed")
  func severalSets() {
    let error = #expect(throws: CheckpointError.self) { _ = try load("flower/two_clients.h5") }
    #expect(error?.reason == .severalSets(labels: ["round_1/client_0", "round_1/client_1"]))
  }

  @Test("the weights around one step differ by the update")
  func difference() throws {
    let reader = CheckpointReader(sandbox: SandboxedReader(executable: Place.executable))
    let before = try reader.read(Place.fixtures + "/keras/pair_before.weights.h5", as: .before)
    let after = try reader.read(Place.fixtures + "/keras/pair_after.weights.h5", as: .after)
    let model = try #require(try BoundModel(before))
    let bound = try model.bind(
      after.contents.parameters, convention: after.contents.convention, file: after.path)
    let update = ParameterTable.difference(after: bound.table, before: model.weights)
    #expect(update.keys == model.weights.keys && !update.keys.isEmpty)
    #expect(update.keys.contains { update[$0.node, $0.role]?.summary().isAllZero == false })
    let slots = try model.bindSlots(
      before.contents.parameters, convention: .channelsLast, file: "m")
    #expect(slots.table.keys == model.weights.keys && slots.leftOver.isEmpty)
  }
}
