import Networks
import TensorIR
import Testing

@Suite("Losses")
struct LossTests {
  private func value(_ loss: Loss, _ z: [Double], _ q: [Double], _ shape: [Int]) -> Double {
    var graph = Graph()
    let output = graph.input("z", TensorType(shape))
    let target = graph.input("q", TensorType(shape))
    let value = loss.value(output, target: target, in: &graph)
    return ReferenceInterpreter().evaluate(value, in: graph, inputs: [output: z, target: q])[0]
  }

  @Test("reductions divide by the samples, by the outputs, by both or by neither")
  func reductions() {
    let (z, q) = ([1.0, 2, 3, 4, 5, 6], [0.0, 0, 0, 0, 0, 0])
    let squares = 91.0
    for (reduction, outputs, divisor) in [
      (Loss.Reduction.mean, Loss.Reduction.mean, 6.0), (.mean, .sum, 2), (.sum, .mean, 3),
      (.sum, .sum, 1),
    ] {
      let loss = Loss(.meanSquaredError, reduction: reduction, outputReduction: outputs)
      #expect(abs(value(loss, z, q, [2, 3]) - squares / divisor) < 1e-12)
    }
    #expect(Loss.meanSquaredError == Loss(.meanSquaredError))
  }

  @Test("neither huge logits nor certain targets overflow")
  func extremes() {
    #expect(value(.softmaxCrossEntropy(), [1e4, -1e4], [0, 1], [1, 2]) == 2e4)
    #expect(value(.softmaxCrossEntropy(), [1e4, -1e4], [1, 0], [1, 2]) == 0)
    #expect(value(.binaryCrossEntropy, [1e4, -1e4], [0, 1], [1, 2]) == 1e4)
    #expect(value(.binaryCrossEntropy, [1e4, -1e4], [1, 0], [1, 2]) == 0)
  }

  @Test("a loss over probabilities is computed from the logits behind them")
  func logits() throws {
    let plain = Network("m", input: [2], ["fc": Dense(outputs: 3)])
    let linked = Network(
      "m", input: [2], ["fc": Dense(outputs: 3), "p": Activation(.softmax)])
    var losses: [Double] = []
    for network in [plain, linked] {
      let derived = try network.gradientGraph(samples: 1, loss: .softmaxCrossEntropy())
      var inputs: [Value: [Double]] = [derived.inputs[0]: [300, -500], derived.target: [0, 0, 1]]
      for parameter in derived.parameters {
        inputs[parameter.value] = (0..<parameter.value.type.elementCount).map(Double.init)
      }
      losses.append(
        ReferenceInterpreter().evaluate(derived.loss, in: derived.graph, inputs: inputs)[0])
    }
    // Probabilities would have underflowed to a loss of infinity or to a clipped one.
    #expect(losses[0] == losses[1] && losses[0] > 300 && losses[0].isFinite)
  }

  @Test(
    "every framework's name of a loss is understood",
    arguments: [
      ("softmax-cross-entropy", .softmaxCrossEntropy), ("mse", .meanSquaredError),
      ("SparseCategoricalCrossentropy", .softmaxCrossEntropy),
      ("categorical_crossentropy", .softmaxCrossEntropy),
      ("binary_crossentropy", .binaryCrossEntropy), ("BCEWithLogitsLoss", .binaryCrossEntropy),
      ("mean_squared_error", .meanSquaredError), ("CrossEntropyLoss", .softmaxCrossEntropy),
    ] as [(String, Loss.Comparison)])
  func names(name: String, comparison: Loss.Comparison) throws {
    #expect(try Loss(named: name).comparison == comparison)
  }

  @Test("an unknown loss is an error that lists the known ones")
  func unknown() {
    let error = #expect(throws: UnknownLoss.self) { try Loss(named: "hinge") }
    #expect(
      error?.description
        == "loss 'hinge' is not known here; known losses: softmax-cross-entropy, "
        + "binary-cross-entropy, mean-squared-error")
  }
}
