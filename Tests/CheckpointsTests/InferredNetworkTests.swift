import Checkpoints
import Networks
import Tensors
import Testing

@Suite("Inferred networks")
struct InferredNetworkTests {
  private func network(
    _ tensors: KeyValuePairs<String, Tensor>,
    _ convention: ParameterTable.Convention = .channelsFirst
  ) -> Network? {
    InferredNetwork.build(
      name: "m", from: tensors.map { named($0.key, $0.value) }, convention: convention)
  }

  private func kinds(_ network: Network?) -> [String] {
    network?.nodes.map { "\($0.name) \($0.layer.kind)" } ?? []
  }

  @Test("dense layers come in the order in which their shapes chain")
  func order() {
    let chained = network([
      "Dense_0.weight": tensor(3, 5), "Dense_0.bias": tensor(3), "Dense_1.weight": tensor(5, 9),
      "Dense_1.bias": tensor(5),
    ])
    #expect(kinds(chained) == ["Dense_1 dense", "Dense_0 dense"])
    #expect(chained?.inputShapes == [[9]] && chained?.origin == .inferred)
    #expect(chained?.nodes.last?.outputShape == [3])
    let asNamed = network(["b.weight": tensor(5, 9), "a.weight": tensor(3, 5)])
    #expect(kinds(asNamed) == ["b dense", "a dense"])
    let broken = network(["a.weight": tensor(3, 5), "b.weight": tensor(7, 9)])
    #expect(kinds(broken) == ["a dense", "b dense"])
  }

  @Test("the convention decides which axis counts outputs")
  func conventions() {
    let rows = network(["a.weight": tensor(3, 5)])?.nodes.first?.layer as? Dense
    let columns = network(["a.weight": tensor(3, 5)], .channelsLast)?.nodes.first?.layer as? Dense
    #expect(rows?.outputs == 3 && rows?.inputs == 5 && rows?.hasBias == false)
    #expect(columns?.outputs == 5 && columns?.inputs == 3)
  }

  @Test("roles and ranks decide on the kind")
  func kindsOfLayers() {
    let found = network([
      "conv.weight": tensor(8, 3, 5, 5), "conv.bias": tensor(8),
      "bn.weight": tensor(8), "bn.bias": tensor(8), "bn.running_mean": tensor(8),
      "norm.weight": tensor(4), "norm.bias": tensor(4), "wte.weight": tensor(50, 4),
      "table.embeddings": tensor(9, 4), "lstm.weight_ih_l0": tensor(4, 4),
      "odd.weight": tensor(1, 1, 1, 1, 1, 1),
    ])
    #expect(
      kinds(found) == [
        "conv convolution", "bn batch-normalization", "norm normalization", "wte embedding",
        "table embedding", "lstm custom", "odd custom",
      ])
    let convolution = found?.nodes.first?.layer as? Convolution
    #expect(convolution?.filters == 8 && convolution?.kernel == [5, 5])
    #expect(convolution?.channelsFirst == true && convolution?.hasBias == true)
    let last = network(["c.kernel": tensor(5, 5, 3, 8)], .channelsLast)?.nodes.first?.layer
    #expect((last as? Convolution)?.filters == 8 && (last as? Convolution)?.kernel == [5, 5])
  }

  @Test("without tensors there is no network")
  func nothing() { #expect(network([:]) == nil) }
}
