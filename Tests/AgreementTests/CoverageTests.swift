import Networks
import Testing

@Suite("Coverage of the agreement with frameworks")
struct CoverageTests {
  @Test("every kind of layer with a meaning is compared with each framework that has it")
  func kinds() {
    // A custom layer has no meaning here. Keras has no class token, no learned positions and no
    // selection as layers; PyTorch writes a rescaling as arithmetic.
    let absent: [String: Set<String>] = [
      "keras": ["class-token", "custom", "position-embedding", "select"],
      "torch": ["custom", "rescaling"],
    ]
    for (framework, missing) in absent {
      let cases = AgreementFixtures.all.filter { $0.framework == framework }
      let kinds = cases.reduce(into: Set<String>()) { $0.formUnion($1.kinds) }
      #expect(kinds == Set(LayerCatalog.all.map { $0.kind }).subtracting(missing), "\(framework)")
    }
  }

  @Test("every activation, merge, cell and loss is compared with a framework")
  func variants() {
    let layers = AgreementFixtures.all.flatMap { $0.network.nodes.map(\.layer) }
    let activations = Set(layers.compactMap { ($0 as? Activation)?.function.name })
    #expect(
      activations == [
        "linear", "relu", "relu6", "sigmoid", "hard_sigmoid", "hard_silu", "mish", "tanh",
        "softplus", "softsign", "selu", "silu", "exponential", "leaky_relu", "elu", "gelu",
        "softmax", "log_softmax",
      ])
    #expect(
      Set(layers.compactMap { ($0 as? Merge)?.detail }) == [
        "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
      ])
    #expect(
      Set(layers.compactMap { ($0 as? Recurrent)?.cell }) == [
        .lstm, .gru(resetsAfter: true), .gru(resetsAfter: false), .simple,
      ])
    #expect(
      Set(layers.compactMap { ($0 as? Normalization)?.detail }) == [
        "layer", "root mean square", "group", "unit", "standardization",
      ])
    #expect(
      Set(layers.compactMap { ($0 as? Convolution)?.variant }) == [
        .plain, .depthwise, .separable, .transposed,
      ])
    #expect(
      Set(AgreementFixtures.all.compactMap { $0.loss?.comparison }) == [
        .softmaxCrossEntropy, .binaryCrossEntropy, .meanSquaredError,
      ])
  }
}
