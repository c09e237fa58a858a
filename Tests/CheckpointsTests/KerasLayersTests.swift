import Checkpoints
import Networks
import Testing

@Suite("Keras layers")
struct KerasLayersTests {
  private func layer(_ className: String, _ config: String) throws -> any Layer {
    let text = #"""
      {"class_name": "Sequential", "config": [
        {"class_name": "\#(className)", "config": {"name": "x"\#(config.isEmpty ? "" : ", " + config)}}]}
      """#
    let network = try KerasArchitecture.network(from: text, file: "m.h5")
    return try #require(network.nodes.first).layer
  }

  @Test(
    "activations keep their parameters",
    arguments: [
      ("ReLU", "", .relu), ("ReLU", #""max_value": 6.0"#, .relu6),
      ("ReLU", #""max_value": null, "negative_slope": 0.1"#, .leakyReLU(slope: 0.1)),
      ("ReLU", #""max_value": 2"#, .unknown("relu capped at 2.0")),
      ("ReLU", #""threshold": 1"#, .unknown("relu with threshold 1.0")),
      ("LeakyReLU", "", .leakyReLU(slope: 0.3)),
      ("LeakyReLU", #""negative_slope": 0.2"#, .leakyReLU(slope: 0.2)),
      ("LeakyReLU", #""alpha": 0.25"#, .leakyReLU(slope: 0.25)),
      ("ELU", "", .elu(alpha: 1)), ("ELU", #""alpha": 0.5"#, .elu(alpha: 0.5)),
      ("Softmax", #""axis": -1"#, .softmax), ("Activation", #""activation": "tanh""#, .tanh),
      ("Activation", #""activation": "swish""#, .silu), ("Activation", "", .linear),
      (
        "Activation", #""activation": {"class_name": "ELU", "config": {"alpha": 2}}"#,
        .elu(alpha: 2)
      ),
      (
        "Activation", #""activation": {"class_name": "ReLU", "config": {"max_value": 6}}"#, .relu6
      ),
      (
        "Activation", #""activation": {"class_name": "function", "config": "gelu"}"#,
        .gelu(approximate: false)
      ),
      ("Activation", #""activation": {"class_name": "Mine"}"#, .unknown("Mine")),
    ] as [(String, String, ActivationFunction)])
  func activations(className: String, config: String, expected: ActivationFunction) throws {
    let activation = try #require(try layer(className, config) as? Activation)
    #expect(activation.function == expected)
  }

  @Test("old and new names of a dense layer's fields mean the same")
  func dense() throws {
    for (config, hasBias) in [
      (#""units": 4"#, true), (#""units": 4, "use_bias": false"#, false),
      (#""output_dim": 4, "bias": false"#, false), (#""output_dim": 4"#, true),
    ] {
      let dense = try #require(try layer("Dense", config) as? Dense)
      #expect(dense.outputs == 4 && dense.hasBias == hasBias, "\(config)")
    }
  }

  @Test("convolutions of every name and generation")
  func convolutions() throws {
    let cases: [(String, String, Convolution)] = [
      (
        "Conv2D", #""filters": 4, "kernel_size": [3, 5], "strides": 2, "padding": "same""#,
        Convolution(filters: 4, kernel: [3, 5], stride: [2, 2], padding: .same)
      ),
      (
        "Conv1D", #""filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": [2]"#,
        Convolution(filters: 4, kernel: [3], dilation: [2], padding: .causal)
      ),
      (
        "Conv3D", #""filters": 1, "kernel_size": [1, 2, 3], "data_format": "channels_first""#,
        Convolution(filters: 1, kernel: [1, 2, 3], channelsFirst: true)
      ),
      (
        "Convolution2D",
        #""nb_filter": 8, "nb_row": 3, "nb_col": 5, "subsample": [2, 2], "border_mode": "same""#,
        Convolution(filters: 8, kernel: [3, 5], stride: [2, 2], padding: .same)
      ),
      (
        "Convolution1D", #""nb_filter": 8, "filter_length": 3"#,
        Convolution(filters: 8, kernel: [3])
      ),
      (
        "SeparableConv2D", #""filters": 6, "kernel_size": [3, 3]"#,
        Convolution(variant: .separable, filters: 6, kernel: [3, 3])
      ),
      (
        "DepthwiseConv2D", #""depth_multiplier": 2, "kernel_size": 3, "use_bias": false"#,
        Convolution(variant: .depthwise, filters: 2, kernel: [3, 3], hasBias: false)
      ),
      (
        "DepthwiseConv2D", #""kernel_size": 3"#,
        Convolution(variant: .depthwise, filters: 1, kernel: [3, 3])
      ),
      (
        "Conv2DTranspose", #""filters": 3, "kernel_size": [4, 4], "strides": [2, 2]"#,
        Convolution(variant: .transposed, filters: 3, kernel: [4, 4], stride: [2, 2])
      ),
      (
        "Conv1DTranspose", #""filters": 3, "kernel_size": [4]"#,
        Convolution(variant: .transposed, filters: 3, kernel: [4])
      ),
      (
        "Conv2D", #""filters": 4, "kernel_size": 1, "groups": 2"#,
        Convolution(filters: 4, kernel: [1, 1], groups: 2)
      ),
    ]
    for (className, config, expected) in cases {
      let found = try #require(try layer(className, config) as? Convolution, "\(className)")
      #expect("\(found)" == "\(expected)", "\(className) \(config)")
    }
  }

  @Test("pooling takes its window, its stride and its statistic")
  func pooling() throws {
    let cases: [(String, String, Pooling)] = [
      ("MaxPooling2D", "", Pooling(.maximum, window: [2, 2])),
      (
        "AveragePooling2D", #""pool_size": [3, 2], "strides": [1, 1], "padding": "same""#,
        Pooling(.average, window: [3, 2], stride: [1, 1], padding: .same)
      ),
      (
        "MaxPooling1D", #""pool_length": 4, "stride": 2"#,
        Pooling(.maximum, window: [4], stride: [2])
      ),
      ("GlobalAveragePooling2D", "", Pooling(.average)),
      (
        "GlobalMaxPooling3D", #""data_format": "channels_first""#,
        Pooling(.maximum, channelsFirst: true)
      ),
    ]
    for (className, config, expected) in cases {
      #expect("\(try layer(className, config))" == "\(expected)", "\(className)")
    }
  }

  @Test(
    "a class is the kind of layer it should be",
    arguments: [
      ("Flatten", "", "flatten"), ("Reshape", #""target_shape": [-1, 4]"#, "reshape"),
      ("Dropout", #""rate": 0.5"#, "dropout"), ("GaussianNoise", #""stddev": 1"#, "dropout"),
      ("Identity", "", "dropout"), ("Rescaling", #""scale": 0.5"#, "rescaling"),
      ("BatchNormalization", #""axis": [3]"#, "batch-normalization"),
      ("LayerNormalization", "", "normalization"), ("Add", "", "merge"), ("Dot", "", "merge"),
      ("Embedding", #""input_dim": 9, "output_dim": 4"#, "embedding"),
      ("GRU", #""units": 3"#, "recurrent"), ("SimpleRNN", #""output_dim": 3"#, "recurrent"),
      ("MultiHeadAttention", "", "attention"), ("ZeroPadding2D", "", "resampling"),
      ("UpSampling1D", "", "resampling"), ("Permute", "", "resampling"),
    ])
  func kinds(className: String, config: String, kind: String) throws {
    #expect(try layer(className, config).kind == kind)
  }

  @Test("the axis of a batch normalisation is counted without the batch")
  func batchNormalisation() throws {
    for (axis, expected) in [("3", 2), ("[1]", 0), ("-1", nil)] as [(String, Int?)] {
      let layer = try #require(
        try layer("BatchNormalization", #""axis": \#(axis)"#) as? BatchNormalization)
      #expect(layer.axis == expected)
    }
  }

  @Test(
    "what is unknown or impossible becomes a custom layer under its own name",
    arguments: [
      ("Gate", "", false), ("Lambda", #""function": ["4wEA", null, null]"#, true),
      ("Dense", "", false),
      ("Dense", #""units": -3"#, false), ("Dense", #""units": 1e300"#, false),
      ("Conv2D", #""filters": 2, "kernel_size": [0, 3]"#, false),
      ("Conv2D", #""filters": 2, "kernel_size": [3, 3, 3]"#, false), ("Conv9D", "", false),
      ("Embedding", #""input_dim": 9"#, false), ("LSTM", "", false), ("Reshape", "", false),
    ])
  func unknown(className: String, config: String, carriesCode: Bool) throws {
    let custom = try #require(try layer(className, config) as? CustomLayer)
    #expect(custom.className == className && custom.carriesCode == carriesCode)
  }
}
