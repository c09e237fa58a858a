import Checkpoints
import Networks
import Tensors
import Testing

@Suite("Parameter matching")
struct ParameterMatcherTests {
  private let mlp = Network(
    "mlp", input: [5],
    ["fc1": Dense(outputs: 4), "relu": Activation(.relu), "head/logits": Dense(outputs: 3)])

  private func match(
    _ tensors: KeyValuePairs<String, Tensor>, to network: Network? = nil, lenient: Bool = false,
    convention: ParameterTable.Convention = .channelsLast, known: ParameterTable? = nil
  ) throws(CheckpointError) -> ParameterMatcher.Match {
    try ParameterMatcher(network: network ?? mlp, known: known, file: "g.h5").match(
      tensors.map { named($0.key, $0.value) }, convention: convention, isLenient: lenient)
  }

  private func keys(_ match: ParameterMatcher.Match) -> [String] {
    match.table.keys.map { "\($0.node) \($0.role)" }
  }

  @Test(
    "names match by their ending across styles",
    arguments: [
      ("fc1", "head/logits"), ("mlp/fc1", "mlp/head/logits"), ("module.fc1", "module.head.logits"),
      ("FC1", "Logits"), ("fc1", "logits"), ("a/b/fc1", "x/logits"),
    ])
  func styles(first: String, second: String) throws {
    let match = try self.match([
      "\(first)/kernel:0": tensor(5, 4), "\(first)/bias": tensor(4),
      "\(second)/kernel": tensor(4, 3), "\(second)/bias": tensor(3),
    ])
    #expect(keys(match) == ["0 bias", "0 weight", "2 bias", "2 weight"])
    #expect(match.withoutName.isEmpty && match.leftOver.isEmpty)
  }

  @Test("a transposed weight fits, and turns the convention around")
  func transposed() throws {
    let turned = try self.match(["fc1.weight": tensor(4, 5), "logits.weight": tensor(3, 4)])
    #expect(turned.table.convention == .channelsFirst)
    let straight = try self.match(
      ["fc1.weight": tensor(5, 4), "logits.weight": tensor(4, 3)], convention: .channelsFirst)
    #expect(straight.table.convention == .channelsLast)
  }

  @Test(
    "square weights leave the stated convention",
    arguments: [
      ParameterTable.Convention.channelsFirst, .channelsLast,
    ])
  func square(convention: ParameterTable.Convention) throws {
    let network = Network("m", input: [4], ["fc": Dense(outputs: 4)])
    let match = try self.match(["fc.weight": tensor(4, 4)], to: network, convention: convention)
    #expect(match.table.convention == convention)
  }

  @Test("a name that fits twice is an error that lists the candidates")
  func ambiguity() {
    let network = Network(
      "m", input: [4], ["a/fc": Dense(outputs: 4), "b/fc": Dense(outputs: 4)])
    let error = #expect(throws: CheckpointError.self) {
      _ = try self.match(["fc/kernel": tensor(4, 4)], to: network)
    }
    #expect(
      error?.reason == .ambiguous(name: "fc", shape: [4, 4], candidates: ["'a/fc'", "'b/fc'"]))
    #expect(error?.object == "fc/kernel" && error?.file == "g.h5")
  }

  @Test("a name that fits a layer of another shape states both shapes")
  func misfit() {
    let error = #expect(throws: CheckpointError.self) {
      _ = try self.match(["fc1/kernel": tensor(9, 7), "fc1/bias": tensor(7)])
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("[9, 7]") && text.contains("'fc1' (dense) of shape 4×5"), "\(text)")
  }

  @Test("a parameter that the layer does not have is named")
  func noSuchParameter() {
    let error = #expect(throws: CheckpointError.self) {
      _ = try self.match(["fc1/kernel": tensor(5, 4), "fc1/gamma": tensor(4)])
    }
    #expect(error?.description.contains("that has no such parameter") == true)
    #expect(error?.object == "fc1/gamma")
  }

  @Test("names without meaning fall back to shapes, then to positions")
  func withoutNames() throws {
    let byShape = try self.match([
      "y/kernel": tensor(4, 3), "y/bias": tensor(3), "x/kernel": tensor(5, 4), "x/bias": tensor(4),
    ])
    #expect(keys(byShape) == ["0 bias", "0 weight", "2 bias", "2 weight"])
    #expect(byShape.withoutName == ["y", "x"])
    #expect(byShape.table[2, .weight]?.shape == [4, 3])
    let twins = Network("m", input: [4], ["a": Dense(outputs: 4), "b": Dense(outputs: 4)])
    let marks = [Tensor([1] + Array(repeating: 0, count: 15), shape: [4, 4]), tensor(4, 4)]
    let byPlace = try self.match(["p/kernel": marks[0], "q/kernel": marks[1]], to: twins)
    #expect(byPlace.withoutName == ["p", "q"])
    #expect(byPlace.table[0, .weight]?.elements() == marks[0].elements())
  }

  @Test("one of two equal places is never guessed")
  func neverGuessed() throws {
    let twins = Network("m", input: [4], ["a": Dense(outputs: 4), "b": Dense(outputs: 4)])
    let error = #expect(throws: CheckpointError.self) {
      _ = try self.match(["p/kernel": tensor(4, 4)], to: twins)
    }
    #expect(error?.reason == .ambiguous(name: "p", shape: [4, 4], candidates: ["'a'", "'b'"]))
    let lenient = try self.match(["p/kernel": tensor(4, 4)], to: twins, lenient: true)
    #expect(lenient.table.keys.isEmpty && lenient.leftOver.count == 1)
  }

  @Test("a tensor that fits nothing is an error with the nearest name, or left over")
  func unmatched() throws {
    let error = #expect(throws: CheckpointError.self) {
      _ = try self.match(["logit/kernel": tensor(9, 9)])
    }
    #expect(
      error?.reason == .unmatched(name: "logit", shape: [9, 9], nearest: "'head/logits'"))
    let lenient = try self.match(
      ["zzz/kernel": tensor(9, 9), "fc1/kernel": tensor(8, 8)], lenient: true)
    #expect(lenient.leftOver.map(\.path).sorted() == ["fc1/kernel", "zzz/kernel"])
  }

  @Test(
    "a normalisation's weight and bias are its scale and shift, an embedding's weight its table")
  func otherRoles() throws {
    let network = Network(
      "m", input: [6],
      ["emb": Embedding(tokens: 9, width: 4), "norm": Normalization(.unstated("LayerNorm"))])
    let match = try self.match(
      ["emb.weight": tensor(9, 4), "norm.weight": tensor(4), "norm.bias": tensor(4)], to: network)
    #expect(keys(match) == ["0 embeddings", "1 scale", "1 shift"])
  }

  @Test("weights already known decide where the network states no shape")
  func known() throws {
    let network = Network("m", input: [nil], ["fc": Dense(outputs: 4)])
    let known = ParameterTable(
      convention: .channelsLast, [.init(node: 0, role: .weight): tensor(5, 4)])
    #expect(throws: CheckpointError.self) {
      _ = try self.match(["fc/kernel": tensor(6, 4)], to: network, known: known)
    }
    let match = try self.match(["fc/kernel": tensor(4, 5)], to: network, known: known)
    #expect(match.table.convention == .channelsFirst)
  }

  @Test(
    "projections inside an attention layer become its parameters",
    arguments: [
      (
        ["att/att/query/kernel", "att/att/attention_output/bias"], ["output_bias", "query_weight"]
      ),
      (["att.in_proj_weight", "att.out_proj.weight"], ["in_proj_weight", "output_weight"]),
      (["block/att/value/bias", "block/att/key/kernel"], ["key_weight", "value_bias"]),
    ])
  func projections(names: [String], roles: [String]) throws {
    let name = names[0].hasPrefix("block") ? "block/att" : "att"
    let network = Network(
      "m", inputShapes: [[4, 6]],
      nodes: [
        Network.Node(name: name, layer: Attention(heads: 2, keyWidth: 3), sources: [.input(0)]),
        Network.Node(
          name: "other", layer: Attention(heads: 2, keyWidth: 3), sources: [.node(0)]),
      ])
    let match = try ParameterMatcher(network: network, file: "f").match(
      names.map { named($0, tensor(2)) }, convention: .channelsLast, isLenient: false)
    #expect(match.table.keys.map(\.node) == [0, 0])
    #expect(match.table.keys.map { "\($0.role)" } == roles)
  }
}
