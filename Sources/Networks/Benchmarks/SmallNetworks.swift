extension Network {
  /// Dense layers of these widths with ReLU between them, named `fc1`, `fc2`, ….
  ///
  /// The last width is the number of classes. An input with several axes is flattened first.
  public static func perceptron(
    widths: [Int] = [1024, 1024, 1024, 10], input: Shape = [3, 32, 32]
  ) -> Network {
    var growing = GrowingNetwork()
    if input.count > 1 { growing.add("flatten", Flatten()) }
    for (index, width) in widths.enumerated() {
      growing.add("fc\(index + 1)", Dense(outputs: width))
      if index < widths.count - 1 { growing.relu("relu\(index + 1)") }
    }
    return growing.network("perceptron", input: input)
  }

  /// The LeNet that the first gradient inversions were shown on: sigmoids and strides, no pooling.
  ///
  /// - Shape: `[3, 32, 32]` → `[classes]`, over 768 features.
  /// - Source: Zhu et al., *Deep Leakage from Gradients*, NeurIPS 2019, and its published code.
  public static func leNet(classes: Int = 10, input: Shape = [3, 32, 32]) -> Network {
    var growing = GrowingNetwork()
    for (index, stride) in [2, 2, 1].enumerated() {
      growing.convolution(
        "body.\(2 * index)", 12, kernel: 5, stride: stride, padding: 2, hasBias: true)
      growing.add("body.\(2 * index + 1)", Activation(.sigmoid))
    }
    growing.add("flatten", Flatten())
    growing.add("fc", Dense(outputs: classes))
    return growing.network("lenet", input: input)
  }

  /// Eight convolutions of 3×3 with batch normalisation, and two poolings of 3×3.
  ///
  /// The first convolution has `width` channels, the last four times as many.
  ///
  /// - Source: Geiping et al., *Inverting Gradients*, NeurIPS 2020, and its published code.
  public static func convNet(
    width: Int = 64, classes: Int = 10, input: Shape = [3, 32, 32]
  ) -> Network {
    var growing = GrowingNetwork()
    for (index, factor) in [1, 2, 2, 4, 4, 4, 4, 4].enumerated() {
      growing.convolution(
        "conv\(index)", factor * width, kernel: 3, padding: 1, hasBias: true)
      growing.batchNormalization("bn\(index)")
      growing.relu("relu\(index)")
      if index == 5 || index == 7 {
        growing.add(
          index == 5 ? "pool0" : "pool1",
          Pooling(.maximum, window: [3, 3], channelsFirst: true))
      }
    }
    growing.add("flatten", Flatten())
    growing.add("linear", Dense(outputs: classes))
    return growing.network("convnet\(width)", input: input)
  }
}
