import Checkpoints
import Networks
import Testing

@Suite("Keras configurations")
struct KerasArchitectureTests {
  private func network(_ text: String, training: String? = nil) throws(CheckpointError) -> Network {
    try KerasArchitecture.network(from: text, training: training, file: "m.h5")
  }

  /// `name kind ← sources`, one per node.
  private func nodes(_ network: Network) -> [String] {
    network.nodes.map { node in
      let sources = node.sources.map { source -> String in
        switch source {
        case .input(let index): "input \(index)"
        case .node(let index): network.nodes[index].name
        }
      }
      return "\(node.name): \(node.layer.kind) ← \(sources.joined(separator: ", "))"
    }
  }

  private static let dense =
    #"{"class_name": "Dense", "config": {"name": "fc", "units": 3, "activation": "linear"}}"#

  @Test(
    "the input shape is found wherever a generation of Keras puts it",
    arguments: [
      #"{"class_name": "InputLayer", "config": {"batch_shape": [null, 4, 4, 1], "name": "i"}},"#,
      #"{"class_name": "InputLayer", "config": {"batch_input_shape": [null, 4, 4, 1]}},"#,
      #"{"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [null, 4, 4, 1]}},"#,
      #"{"class_name": "Flatten", "config": {"name": "f"}, "build_config": {"input_shape": [null, 4, 4, 1]}},"#,
    ])
  func inputShapes(first: String) throws {
    for list in [
      #"{"name": "s", "layers": [\#(first) \#(Self.dense)]}"#, "[\(first) \(Self.dense)]",
    ] {
      let network = try network(#"{"class_name": "Sequential", "config": \#(list)}"#)
      #expect(network.inputShapes == [[4, 4, 1]])
      #expect(network.nodes.last?.name == "fc" && network.nodes.last?.layer is Dense)
    }
  }

  @Test("an extent that is open, negative or no number stays open")
  func openExtents() throws {
    let first =
      #"{"class_name": "InputLayer", "config": {"batch_shape": [null, null, -1, 0, "x", 3]}}"#
    let network = try network(
      #"{"class_name": "Sequential", "config": {"layers": [\#(first), \#(Self.dense)]}}"#)
    #expect(network.inputShapes == [[nil, nil, nil, nil, 3]])
  }

  @Test("an activation inside a layer becomes a node behind it, a linear one does not")
  func innerActivations() throws {
    let text = #"""
      {"class_name": "Sequential", "config": [
        {"class_name": "Dense", "config": {"name": "a", "units": 3, "activation": "relu"}},
        {"class_name": "Dense", "config": {"name": "b", "units": 3, "activation": null}},
        {"class_name": "Conv1D", "config": {"name": "c", "filters": 3, "kernel_size": [2],
          "activation": {"class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}}},
        {"class_name": "LSTM", "config": {"name": "d", "units": 3, "activation": "tanh"}}]}
      """#
    #expect(
      nodes(try network(text)) == [
        "a: dense ← input 0", "a (relu): activation ← a", "b: dense ← a (relu)",
        "c: convolution ← b", "c (leaky_relu): activation ← c",
        "d: recurrent ← c (leaky_relu)",
      ])
  }

  @Test(
    "inbound_nodes of Keras 1, 2 and 3 say the same",
    arguments: [
      #"[[["a", 0, 0], ["b", 0, 0]]]"#, #"[[["a", 0, 0, {}], ["b", 0, 0, {}]]]"#,
      #"[{"args": [[\#(history("a")), \#(history("b"))]], "kwargs": {}}]"#,
      #"[{"args": [], "kwargs": {"x": \#(history("a")), "y": \#(history("b"))}}]"#,
      #"[["a", 0, 0, {"y": ["b", 0, 0]}]]"#,
      #"[[["_CONSTANT_VALUE", -1, 2, {}], ["a", 0, 0, {}], ["b", 0, 0, {"axis": [1]}]]]"#,
    ])
  func inboundNodes(calls: String) throws {
    let text = #"""
      {"class_name": "Functional", "config": {"name": "f", "layers": [
        {"class_name": "InputLayer", "name": "a", "config": {"batch_shape": [null, 2]},
         "inbound_nodes": []},
        {"class_name": "InputLayer", "name": "b", "config": {"batch_shape": [null, 3]},
         "inbound_nodes": []},
        {"class_name": "Concatenate", "name": "c", "config": {"name": "c"},
         "inbound_nodes": \#(calls)}],
        "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["c", 0, 0]]}}
      """#
    let network = try network(text)
    #expect(network.inputShapes == [[2], [3]])
    #expect(nodes(network) == ["c: merge ← input 0, input 1"])
    #expect(network.nodes[0].outputShape == [5])
  }

  private static func history(_ name: String) -> String {
    #"{"class_name": "__keras_tensor__", "config": {"keras_history": ["\#(name)", 0, 0]}}"#
  }

  @Test("layers of an inner model are named after it, and what leaves it is its output")
  func nesting() throws {
    let inner = #"""
      {"class_name": "Sequential", "name": "enc", "config": {"name": "enc", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 8], "name": "x"}},
        {"class_name": "Dense", "config": {"name": "fc", "units": 3, "activation": "relu"}}]},
       "inbound_nodes": [[["i", 0, 0, {}]]]}
      """#
    let text = #"""
      {"class_name": "Model", "config": {"name": "outer", "layers": [
        {"class_name": "InputLayer", "name": "i", "config": {"batch_shape": [null, 8]},
         "inbound_nodes": []}, \#(inner),
        {"class_name": "Dense", "name": "head", "config": {"name": "head", "units": 2},
         "inbound_nodes": [[["enc", 0, 0, {}]]]}], "output_layers": [["head", 0, 0]]}}
      """#
    let network = try network(text)
    #expect(network.inputShapes == [[8]])
    #expect(
      nodes(network) == [
        "enc/fc: dense ← input 0", "enc/fc (relu): activation ← enc/fc",
        "head: dense ← enc/fc (relu)",
      ])
    #expect(network.nodes.last?.outputShape == [2])
  }

  @Test("models deeper than 16 are refused")
  func depth() {
    var text = Self.dense
    for _ in 0..<18 {
      text = #"{"class_name": "Sequential", "config": {"name": "s", "layers": [\#(text)]}}"#
    }
    let error = #expect(throws: CheckpointError.self) { _ = try network(text) }
    #expect(error?.reason == .architecture(detail: "models are nested deeper than 16"))
  }

  @Test(
    "a configuration that cannot be followed says where",
    arguments: [
      (
        #"{"class_name": "Sequential", "config": [{"class_name": "InputLayer", "config": {"batch_shape": [null, 4611686018427387904]}}, {"class_name": "Dense", "config": {"units": 1}}]}"#,
        "longer than 2^30"
      ),
      ("", "not JSON"), ("{", "not JSON"), ("{}", "no list of layers"),
      (#"{"class_name": "Sequential", "config": {"layers": []}}"#, "lists no layer"),
      (#"{"class_name": "Sequential", "config": [{}]}"#, "a layer has no class_name"),
      (
        #"{"class_name": "Model", "config": {"layers": [{"class_name": "Dense", "name": "d", "config": {"units": 1}, "inbound_nodes": [[["x", 0, 0]]]}]}}"#,
        "'x', which does not come before it"
      ),
      (
        #"{"class_name": "Model", "config": {"layers": [{"class_name": "Dense", "name": "d", "config": {"units": 1}}]}}"#,
        "reads from nothing"
      ),
      (
        #"{"class_name": "Sequential", "config": [{"class_name": "InputLayer", "config": {}}]}"#,
        "lists no layer"
      ),
    ])
  func errors(text: String, part: String) {
    let error = #expect(throws: CheckpointError.self) { _ = try network(text) }
    #expect(error?.description.contains(part) == true, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.file == "m.h5")
  }

  @Test(
    "the loss is read from wherever it stands",
    arguments: [
      (#"{"loss": "mse"}"#, "mse"),
      (#"{"loss": {"class_name": "MeanSquaredError", "config": {}}}"#, "MeanSquaredError"),
      (#"{"loss": {"config": "hinge"}}"#, "hinge"), ("{}", nil), ("no JSON", nil),
    ] as [(String, String?)])
  func loss(training: String, expected: String?) throws {
    let config = #"{"class_name": "Sequential", "config": [\#(Self.dense)]}"#
    #expect(try network(config, training: training).loss == expected)
  }

  @Test("the loss may stand in the configuration of an archive")
  func compileConfig() throws {
    let text =
      #"{"class_name": "Sequential", "config": [\#(Self.dense)], "compile_config": {"loss": "mae"}}"#
    #expect(try network(text).loss == "mae")
  }
}
