import Checkpoints
import Networks
import Testing

@Suite("Architectures in the project's own layout")
struct ArchitectureJSONTests {
  private func network(
    _ layers: String, inputs: String = #"[{"name": "x", "shape": [8, 8, 3]}]"#,
    channelsFirst: Bool = false
  ) throws(CheckpointError) -> Network {
    try ArchitectureJSON.network(
      from: #"{"name": "m", "inputs": \#(inputs), "layers": [\#(layers)]}"#,
      channelsFirst: channelsFirst, loss: "mean-squared-error", file: "f.h5")
  }

  private func layer(_ kind: String, _ fields: String = "") throws -> any Layer {
    let rest = fields.isEmpty ? "" : ", " + fields
    let network = try network(#"{"name": "a", "kind": "\#(kind)", "inputs": ["x"]\#(rest)}"#)
    return try #require(network.nodes.first).layer
  }

  @Test("every kind of the catalogue can be read with its fields")
  func kinds() throws {
    let fields = [
      "activation": #""function": "relu""#, "convolution": #""filters": 2, "kernel": [3, 3]"#,
      "dense": #""outputs": 2"#, "embedding": #""tokens": 9, "width": 2"#,
      "pooling": #""statistic": "maximum""#, "recurrent": #""units": 3"#,
      "reshape": #""target": [null]"#, "select": #""axis": 0, "index": 1"#,
    ]
    for type in LayerCatalog.all {
      #expect(try layer(type.kind, fields[type.kind] ?? "").kind == type.kind)
    }
  }

  @Test(
    "a required field that is missing or impossible is an error",
    arguments: [
      ("dense", ""), ("dense", #""outputs": 0"#), ("dense", #""outputs": 1.5"#),
      ("dense", #""outputs": 1e18"#), ("activation", ""), ("reshape", ""),
      ("embedding", #""tokens": 3"#),
      ("recurrent", ""), ("pooling", ""), ("pooling", #""statistic": "median""#),
      ("pooling", #""statistic": "average", "window": "all""#), ("convolution", ""),
      ("convolution", #""filters": 2"#), ("convolution", #""filters": 2, "kernel": [0]"#),
      ("convolution", #""filters": 2, "kernel": [3], "variant": "odd""#),
      ("convolution", #""filters": 2, "kernel": [3], "padding": "wide""#), ("magic", ""), ("", ""),
    ])
  func impossible(kind: String, fields: String) {
    let error = #expect(throws: CheckpointError.self) { _ = try layer(kind, fields) }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains("layer 'a' is of kind '\(kind)'") && text.contains("known kinds: activation"))
  }

  @Test("fields arrive in the layer")
  func values() throws {
    #expect((try layer("dense", #""outputs": 5, "bias": false"#) as? Dense)?.hasBias == false)
    #expect((try layer("dense", #""outputs": 5"#) as? Dense)?.hasBias == true)
    let rescaling = try #require(
      try layer("rescaling", #""scale": 0.5, "offset": -1"#) as? Rescaling)
    #expect(rescaling.scale == 0.5 && rescaling.offset == -1)
    #expect((try layer("dropout", #""rate": 0.25"#) as? Dropout)?.rate == 0.25)
    #expect((try layer("batch-normalization", #""axis": 1"#) as? BatchNormalization)?.axis == 1)
    #expect((try layer("merge", #""operation": "Add""#) as? Merge)?.operation == .add)
    #expect((try layer("custom", #""class_name": "Gate""#) as? CustomLayer)?.className == "Gate")
    #expect((try layer("attention") as? Attention)?.detail == "attention")
    let recurrent = try #require(
      try layer("recurrent", #""cell": "GRU", "units": 4, "returns_sequences": true"#) as? Recurrent
    )
    #expect(recurrent.cell == .gru(resetsAfter: true) && recurrent.returnsSequences)
    #expect((try layer("reshape", #""target": [4, null]"#) as? Reshape)?.target == [4, nil])
    let pooling = try #require(
      try layer("pooling", #""statistic": "average", "window": [2, 2], "padding": "same""#)
        as? Pooling)
    #expect(pooling.stride == [2, 2] && pooling.padding == .same && pooling.statistic == .average)
  }

  @Test(
    "activations keep their parameters",
    arguments: [
      (#""function": "leaky_relu""#, .leakyReLU(slope: 0.2)),
      (#""function": "leaky_relu", "slope": 0.01"#, .leakyReLU(slope: 0.01)),
      (#""function": "elu", "alpha": 2"#, .elu(alpha: 2)),
      (#""function": "gelu", "approximate": true"#, .gelu(approximate: true)),
      (#""function": "gelu""#, .gelu(approximate: false)), (#""function": "softmax""#, .softmax),
      (#""function": "wiggle""#, .unknown("wiggle")),
    ] as [(String, ActivationFunction)])
  func activations(fields: String, expected: ActivationFunction) throws {
    #expect((try layer("activation", fields) as? Activation)?.function == expected)
  }

  @Test("a convolution takes every field")
  func convolution() throws {
    let full = try #require(
      try layer(
        "convolution",
        #""variant": "depthwise", "filters": 2, "kernel": [3, 1], "stride": [2, 1], "dilation": [1, 1], "padding": [1, 0], "groups": 3, "bias": false"#
      ) as? Convolution)
    let expected = Convolution(
      variant: .depthwise, filters: 2, kernel: [3, 1], stride: [2, 1], dilation: [1, 1],
      padding: .explicit([1, 0]), groups: 3, hasBias: false, hasSwappedKernel: false)
    #expect("\(full)" == "\(expected)")
    for (text, padding) in [("same", .same), ("causal", .causal), ("valid", .valid)]
      as [(String, Convolution.Padding)]
    {
      let layer = try layer("convolution", #""filters": 2, "kernel": [3], "padding": "\#(text)""#)
      #expect((layer as? Convolution)?.padding == padding)
    }
  }

  @Test("the convention of the file reaches the layers that depend on it")
  func channelsFirst() throws {
    let network = try network(
      #"""
      {"name": "c", "kind": "convolution", "inputs": ["x"], "filters": 4, "kernel": [3, 3]},
      {"name": "b", "kind": "batch-normalization", "inputs": ["c"]},
      {"name": "p", "kind": "pooling", "inputs": ["b"], "statistic": "maximum", "window": [2, 2]}
      """#, inputs: #"[{"name": "x", "shape": [3, 8, 8]}]"#, channelsFirst: true)
    #expect(network.nodes.map(\.outputShape) == [[4, 6, 6], [4, 6, 6], [4, 3, 3]])
    #expect((network.nodes[1].layer as? BatchNormalization)?.axis == 0)
    #expect(network.loss == "mean-squared-error" && network.name == "m")
  }

  @Test(
    "a document that is wrong says how",
    arguments: [
      ("", "not a JSON object"), ("[]", "not a JSON object"), ("{}", "with a list 'layers'"),
      (#"{"layers": []}"#, "lists no layer"),
      (#"{"inputs": [{"name": "x"}], "layers": []}"#, "an input needs 'name' and 'shape'"),
      (#"{"inputs": [{"name": "x", "shape": [1e300]}], "layers": []}"#, "at most 2^30 long"),
      (#"{"inputs": [{"shape": []}], "layers": []}"#, "an input needs 'name' and 'shape'"),
      (#"{"layers": [{"kind": "flatten"}]}"#, "a layer needs 'name' and 'kind'"),
      (#"{"layers": [{"name": "a"}]}"#, "a layer needs 'name' and 'kind'"),
      (#"{"layers": [{"name": "a", "kind": "flatten"}]}"#, "does not come before it"),
      (
        #"{"layers": [{"name": "a", "kind": "flatten", "inputs": ["a"]}]}"#,
        "does not come before it"
      ),
      (
        #"{"inputs": [{"name": "x", "shape": [1]}], "layers": [{"name": "x", "kind": "flatten", "inputs": ["x"]}]}"#,
        "two layers are called 'x'"
      ),
    ])
  func errors(text: String, part: String) {
    let error = #expect(throws: CheckpointError.self) {
      _ = try ArchitectureJSON.network(from: text, channelsFirst: false, loss: nil, file: "f.h5")
    }
    #expect(error?.description.contains(part) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test(
    "numbers beyond reason leave extents open or are refused, without a crash",
    arguments: [
      #""kind": "convolution", "filters": 1073741824, "kernel": [1048576, 1048576], "dilation": [1048576, 1048576]"#,
      #""kind": "convolution", "filters": 1, "kernel": [1, 1], "stride": [9223372036854774784, 1], "padding": "same""#,
      #""kind": "convolution", "filters": 1, "kernel": [1, 1], "stride": [-9223372036854775808, 0]"#,
      #""kind": "convolution", "filters": 1, "kernel": [1, 1], "padding": [9223372036854774784, -9223372036854775808]"#,
      #""kind": "convolution", "variant": "transposed", "filters": 1, "kernel": [2, 2], "stride": [9223372036854774784, 2]"#,
      #""kind": "convolution", "variant": "depthwise", "filters": 1073741824, "kernel": [1, 1]"#,
      #""kind": "pooling", "statistic": "maximum", "window": [-9223372036854775808, 1]"#,
      #""kind": "pooling", "statistic": "maximum", "window": [2, 2], "stride": [9223372036854774784, 1], "padding": "same""#,
      #""kind": "reshape", "target": [1073741824, 1073741824]"#,
      #""kind": "batch-normalization", "axis": 9007199254740992"#,
      #""kind": "batch-normalization", "axis": -9223372036854775808"#,
      #""kind": "convolution", "filters": 1, "kernel": [4294967295, 1], "dilation": [4294967295, 1]"#,
      #""kind": "convolution", "variant": "transposed", "filters": 1, "kernel": [1, 1], "stride": [1048576, 1048576]"#,
      #""kind": "flatten""#,
    ])
  func extremes(fields: String) throws {
    let inputs = #"[{"name": "x", "shape": [1073741824, 1073741824, 1073741824]}]"#
    let network = try? network(#"{"name": "a", "inputs": ["x"], \#(fields)}"#, inputs: inputs)
    for node in network?.nodes ?? [] {
      _ = node.layer.parameters(input: node.inputShape ?? [])
      #expect((node.outputShape ?? []).allSatisfy { $0.map { $0 > 0 } ?? true })
    }
  }
}
