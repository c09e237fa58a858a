import Checkpoints
import Testing

@Suite("Keras names")
struct KerasNamesTests {
  @Test(
    "class names become snake case as Keras does it",
    arguments: [
      ("Dense", "dense"), ("Conv2D", "conv2d"), ("Conv2DTranspose", "conv2d_transpose"),
      ("SeparableConv1D", "separable_conv1d"), ("DepthwiseConv2D", "depthwise_conv2d"),
      ("LSTM", "lstm"), ("LSTMCell", "lstm_cell"), ("GRU", "gru"), ("SimpleRNN", "simple_rnn"),
      ("ReLU", "re_lu"), ("LeakyReLU", "leaky_re_lu"), ("PReLU", "p_re_lu"), ("ELU", "elu"),
      ("BatchNormalization", "batch_normalization"), ("MaxPooling2D", "max_pooling2d"),
      ("GlobalAveragePooling2D", "global_average_pooling2d"), ("Embedding", "embedding"),
      ("MultiHeadAttention", "multi_head_attention"), ("TFOpLambda", "tf_op_lambda"),
      ("RMSNormalization", "rms_normalization"), ("Custom>Block", "custom_block"),
      ("InputLayer", "input_layer"), ("Sequential", "sequential"),
    ])
  func snakeCase(className: String, expected: String) {
    #expect(KerasClassNames.snakeCase(className) == expected)
  }

  @Test("the second layer of a class is numbered 1, inside an inner model from the start")
  func groups() {
    let names = KerasClassNames(
      configuration: #"""
        {"class_name": "Functional", "config": {"layers": [
          {"class_name": "InputLayer", "config": {"name": "i"}},
          {"class_name": "Dense", "config": {"name": "first"}},
          {"class_name": "Model", "config": {"name": "inner", "layers": [
            {"class_name": "Dense", "config": {"name": "deep"}}]}},
          {"class_name": "Dense", "config": {"name": "second"}},
          {"class_name": "ReLU", "name": "outside"}]}}
        """#)
    #expect(names.layer(at: "layers/dense") == ["first"])
    #expect(names.layer(at: "layers/dense_1") == ["second"])
    #expect(names.layer(at: "layers/functional/layers/dense") == ["inner", "deep"])
    #expect(names.layer(at: "_layer_checkpoint_dependencies/dense_1") == ["second"])
    #expect(names.layer(at: "layers/re_lu") == ["outside"])
    #expect(names.layer(at: "layers/dense_2") == nil)
  }

  @Test("without a configuration nothing has a name", arguments: [nil, "", "[]", "{"])
  func nothing(configuration: String?) {
    #expect(KerasClassNames(configuration: configuration).layer(at: "layers/dense") == nil)
  }
}
