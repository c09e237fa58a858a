import Checkpoints
import Foundation
import Networks
import TensorIR
import Tensors
import Testing

/// Files as frameworks wrote them: weights, the gradient of a batch, and the batch.
@Suite("Gradients of whole files")
struct WholeNetworkTests {
  struct Files: Sendable, CustomTestStringConvertible {
    var model: String
    var gradient: String
    var truth: String?
    var loss = "softmax-cross-entropy"

    var testDescription: String { gradient }
  }

  static let files = [
    Files(
      model: "keras/mlp.keras", gradient: "keras/gradient_mlp_b1.h5", truth: "keras/truth_mlp_b1.h5"
    ),
    Files(
      model: "keras/mlp.h5", gradient: "keras/gradient_mlp_b4.h5", truth: "keras/truth_mlp_b4.h5"),
    Files(
      model: "keras/convolutions.keras", gradient: "keras/gradient_convolutions_b1.h5",
      truth: "keras/truth_convolutions_b1.h5"),
    Files(
      model: "keras/nested.keras", gradient: "keras/gradient_nested_b1.h5",
      truth: "keras/truth_nested_b1.h5"),
    Files(
      model: "keras/normalised.h5", gradient: "keras/gradient_normalised_b4.h5",
      truth: "keras/truth_normalised_b4.h5"),
    Files(
      model: "keras/text.keras", gradient: "keras/gradient_text_b1.h5",
      truth: "keras/truth_text_b1.h5"),
    Files(model: "layout/gradient_b1.h5", gradient: "layout/gradient_b1.h5"),
    Files(model: "layout/gradient_b4.h5", gradient: "layout/gradient_b4.h5"),
  ]

  private func load(_ name: String, as role: FileRole) throws -> LoadedFile {
    let tests = AgreementFixtures.folder.deletingLastPathComponent()
    return try CheckpointReader(sandbox: SandboxedReader(executable: AgreementFixtures.executable))
      .read(tests.appending(path: "frameworks/" + name).path, as: role)
  }

  /// The files hold Float: a gradient that was summed in another order, behind other rounded values,
  /// keeps about five digits; one that is zero but for rounding, such as that of a bias in front of
  /// a normalisation, is as exact as what it was summed from.
  @Test("the gradient of the committed batch is the committed gradient", arguments: files)
  func gradients(files: Files) throws {
    let model = try #require(try BoundModel(try load(files.model, as: .model)))
    let observed = try load(files.gradient, as: .gradient).contents
    let record = try #require(observed.gradients.first)
    let bound = try model.bind(
      record.tensors, convention: observed.convention, file: files.gradient)
    let truth = try #require(
      try files.truth.map { try load($0, as: .truth).contents.truth } ?? observed.truth)
    let labels = try #require(truth.labels)
    let samples = truth.inputs.shape[0]

    let network = model.network
    let mode: ForwardPass.Mode = record.facts.isTrainingMode == true ? .training : .inference
    let derived = try network.gradientGraph(
      samples: samples, loss: try Loss(named: network.loss ?? files.loss), mode: mode)
    var inputs: [Value: [Double]] = [derived.inputs[0]: truth.inputs.elements()]
    let classes = try #require(derived.target.type.shape.last)
    inputs[derived.target] = labels.flatMap { label in
      (0..<classes).map { Double($0) == label ? 1 : 0 }
    }
    let parameters = derived.parameters.map(\.parameter)
    for (parameter, elements) in zip(
      parameters + derived.constants,
      try network.elements(of: parameters + derived.constants, from: model.weights))
    {
      inputs[parameter.value] = elements
    }
    let gradients = ReferenceInterpreter().evaluate(
      derived.parameters.map(\.gradient), in: derived.graph, inputs: inputs)
    let table = network.table(of: gradients, for: parameters, in: bound.table.convention)
    #expect(table.keys == bound.table.keys)
    let all = bound.table.tensors.values.flatMap { $0.elements() }.map(abs).max() ?? 0
    for key in bound.table.keys {
      let expected = try #require(bound.table[key.node, key.role])
      let found = try #require(table[key.node, key.role])
      #expect(found.shape == expected.shape)
      let tolerance = 1e-5 * (expected.elements().map(abs).max() ?? 0) + 2e-6 * all
      let error = zip(found.elements(), expected.elements()).map { abs($0 - $1) }.max() ?? 0
      #expect(error <= tolerance, "\(network.nodes[key.node].name)/\(key.role)")
    }
  }
}
