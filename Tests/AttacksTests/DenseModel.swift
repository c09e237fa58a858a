import Networks

/// A chain of dense layers in `Double` whose gradients follow from the chain rule written out.
struct DenseModel: Sendable {
  struct Level: Sendable {
    /// Rows are outputs.
    var weights: [[Double]]
    var bias: [Double]?
    /// Softmax and sigmoid at the end are taken together with their cross-entropy.
    var function: ActivationFunction
  }

  /// The gradient of one level, or several samples' sum.
  struct LevelGradient: Sendable {
    var weights: [[Double]]
    var bias: [Double]
  }

  var levels: [Level]
  /// The loss in the file's words; `squared` compares the single output with the label.
  var loss: String?

  /// Weights uniform within `scale / √inputs`, biases within 0.1.
  init(
    _ widths: [Int], _ function: ActivationFunction, head: ActivationFunction = .softmax,
    hasBias: Bool = true, scale: Double = 1.7, seed: UInt64
  ) {
    var numbers = SeededNumbers(state: seed)
    levels = zip(widths, widths.dropFirst()).enumerated().map { index, size in
      let range = scale / Double(size.0).squareRoot()
      return Level(
        weights: (0..<size.1).map { _ in numbers.uniform(size.0, within: range) },
        bias: hasBias ? numbers.uniform(size.1, within: 0.1) : nil,
        function: index == widths.count - 2 ? head : function)
    }
  }

  var classes: Int { levels.last?.weights.count ?? 0 }

  /// What enters every level and what leaves the last one, before its activation.
  func forward(_ input: [Double]) -> (inputs: [[Double]], sums: [[Double]]) {
    var (x, inputs, sums) = (input, [[Double]](), [[Double]]())
    for level in levels {
      var z = level.weights.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
      if let bias = level.bias { z = zip(z, bias).map { $0 + $1 } }
      inputs.append(x)
      sums.append(z)
      x = z.map { level.function.value($0) ?? $0 }
    }
    return (inputs, sums)
  }

  /// The output's probabilities.
  func probabilities(_ input: [Double]) -> [Double] {
    let z = forward(input).sums.last ?? []
    guard z.count > 1 else { return z.map { ActivationFunction.sigmoid.value($0) ?? 0 } }
    let peak = z.max() ?? 0
    let weights = z.map { ActivationFunction.exponential.value($0 - peak) ?? 0 }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// `∂L/∂z` of every level for one sample.
  func outputGradients(_ input: [Double], _ label: Int, smoothing: Double = 0) -> [[Double]] {
    let (_, sums) = forward(input)
    var gradient: [Double]
    if loss == "mean_squared_error" {
      gradient = (sums.last ?? []).map { 2 * ($0 - Double(label)) }
    } else {
      gradient = probabilities(input)
      if classes == 1 {
        gradient[0] -= Double(label)
      } else {
        for index in gradient.indices {
          gradient[index] -= smoothing / Double(classes) + (index == label ? 1 - smoothing : 0)
        }
      }
    }
    var all = [gradient]
    for index in levels.indices.dropFirst().reversed() {
      let below = levels[index - 1]
      gradient = sums[index - 1].enumerated().map { unit, z in
        let arriving = zip(levels[index].weights, gradient).reduce(0) { $0 + $1.0[unit] * $1.1 }
        return arriving * (below.function.slope(z) ?? 1)
      }
      all.append(gradient)
    }
    return all.reversed()
  }

  /// The gradient of the loss over a batch.
  func gradient(
    _ inputs: [[Double]], _ labels: [Int], isMean: Bool = true, smoothing: Double = 0
  ) -> [LevelGradient] {
    var total = levels.map { level in
      LevelGradient(
        weights: level.weights.map { $0.map { _ in 0 } }, bias: level.weights.map { _ in 0 })
    }
    let share = isMean ? 1 / Double(inputs.count) : 1
    for (input, label) in zip(inputs, labels) {
      let entering = forward(input).inputs
      for (index, z) in outputGradients(input, label, smoothing: smoothing).enumerated() {
        for (unit, value) in z.enumerated() where value != 0 {
          total[index].bias[unit] += share * value
          for (column, x) in entering[index].enumerated() {
            total[index].weights[unit][column] += share * value * x
          }
        }
      }
    }
    return total
  }

  /// The architecture as a file would state it: every dense layer and its activation.
  var network: Network {
    var nodes: [Network.Node] = []
    func add(_ name: String, _ layer: any Layer) {
      nodes.append(
        Network.Node(
          name: name, layer: layer, sources: [nodes.isEmpty ? .input(0) : .node(nodes.count - 1)]))
    }
    for (index, level) in levels.enumerated() {
      add("fc\(index)", Dense(outputs: level.weights.count, hasBias: level.bias != nil))
      add("act\(index)", Activation(level.function))
    }
    return Network(
      "model", inputShapes: [[levels.first?.weights.first?.count]], nodes: nodes, loss: loss)
  }

  /// The node of a level's dense layer.
  func node(_ level: Int) -> Int { 2 * level }
}

/// A generator with a fixed sequence per seed; Steele, Lea, Flood, OOPSLA 2014.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func uniform(_ count: Int, within range: Double = 1) -> [Double] {
    (0..<count).map { _ in Double.random(in: -range..<range, using: &self) }
  }

  /// Numbers in [0, 1), like the pixels of an image.
  mutating func image(_ count: Int) -> [Double] {
    (0..<count).map { _ in Double.random(in: 0..<1, using: &self) }
  }

  /// Approximately normal, of mean 0 and variance 1: twelve uniform numbers.
  mutating func normal() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
  }
}
