internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// Where an analysis from the weights alone begins: the node whose loss gradient is taken as known.
struct InvertibilityStart {
  /// A dense layer, or the last node in front of softmax.
  let node: Int
  /// Whether a dense layer is there, whose bias gradient discloses the loss gradient.
  let isDense: Bool
  /// Everything that the node depends on, itself included.
  let nodes: Set<Int>

  /// - Returns: `nil` if no convolution stands in front of a dense layer, unless a stack of
  ///   convolutions ends without one.
  init?(_ network: Network) {
    guard network.origin == .declared else { return nil }
    let convolutions = network.nodes.indices.filter {
      network.nodes[$0].layer is Networks.Convolution
    }
    guard !convolutions.isEmpty else { return nil }
    let dense = network.nodes.indices.filter { network.nodes[$0].layer is Dense }
    for last in dense.reversed() {
      let before = Self.ancestors(of: last, network)
      guard convolutions.contains(where: before.contains) else { continue }
      (node, isDense, nodes) = (last, true, before)
      return
    }
    guard dense.isEmpty, var last = network.outputs.first else { return nil }
    while let activation = network.nodes[last].layer as? Activation,
      [.softmax, .logSoftmax, .sigmoid, .linear].contains(activation.function),
      case .node(let before)? = network.nodes[last].sources.first
    { last = before }
    let before = Self.ancestors(of: last, network)
    guard convolutions.contains(where: before.contains) else { return nil }
    (node, isDense, nodes) = (last, false, before)
  }

  private static func ancestors(of last: Int, _ network: Network) -> Set<Int> {
    var reached: Set<Int> = [last]
    for node in (0...last).reversed() where reached.contains(node) {
      for case .node(let before) in network.nodes[node].sources where before < node {
        reached.insert(before)
      }
    }
    return reached
  }
}

// MARK: - What is drawn

extension Invertibility {
  private static let imageSeed: UInt64 = 20_201
  private static let weightSeed: UInt64 = 20_202
  private static let labelSeed: UInt64 = 20_203

  /// A smooth picture in [0, 1], and a little noise.
  ///
  /// Waves of every octave up to a fourth of the sampling rate, weaker as they get shorter, as in
  /// photographs.
  ///
  /// - Parameter shape: `[spatial…, channels]`.
  /// - Returns: One value per entry, row-major.
  package static func plausibleInput(_ shape: [Int]) -> [Double] {
    var generator = SplitMix64(seed: imageSeed)
    let channels = shape.last ?? 1
    let extents = Array(shape.dropLast())
    let places = extents.reduce(1, *)
    var result = Array(repeating: 0.5, count: places * channels)
    var octaves = [0.5]
    while let last = octaves.last, last * 8 <= Double(extents.max() ?? 1) {
      octaves.append(2 * last)
    }
    for channel in 0..<channels {
      for turns in octaves + octaves + octaves {
        let amplitude = 0.12 * generator.uniform(0.5, 1.5) / turns.squareRoot()
        // The cosine of a sum of angles is the real part of a product with one factor per axis.
        var real = Array(repeating: amplitude, count: places)
        var imaginary = Array(repeating: 0.0, count: places)
        var inner = places
        for extent in extents {
          inner /= extent
          let turns = turns * generator.uniform(-1.4, 1.4)
          let phase = generator.unit()
          let steps = (0..<extent).map {
            rotation(turns: turns * Double($0) / Double(extent) + phase)
          }
          for place in 0..<places {
            let step = steps[place / inner % extent]
            (real[place], imaginary[place]) = (
              real[place] * step.real - imaginary[place] * step.imaginary,
              real[place] * step.imaginary + imaginary[place] * step.real
            )
          }
        }
        for place in 0..<places { result[place * channels + channel] += real[place] }
      }
    }
    for index in result.indices {
      result[index] = min(max(result[index] + 0.02 * generator.normal(), 0), 1)
    }
    return result
  }

  /// `cos 2πt` and `sin 2πt` to about 1e-8 by a Taylor series and doubled angles, the same on every
  /// platform.
  private static func rotation(turns: Double) -> (real: Double, imaginary: Double) {
    let angle = 2 * Double.pi * (turns - turns.rounded()) / 16
    let square = angle * angle
    var real = 1 - square / 2 * (1 - square / 12 * (1 - square / 30))
    var imaginary = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)))
    for _ in 0..<4 {
      (real, imaginary) = (real * real - imaginary * imaginary, 2 * real * imaginary)
    }
    return (real, imaginary)
  }

  /// `p − e_y` for a drawn class `y` at every place; one output alone is a sigmoid's.
  ///
  /// - Parameters:
  ///   - logits: `[places, classes]`.
  ///   - classes: How many.
  /// - Returns: `[places, classes]`.
  package static func lossGradient(_ logits: [Double], classes: Int) -> [Double] {
    var generator = SplitMix64(seed: labelSeed)
    var result = logits
    for place in 0..<logits.count / max(classes, 1) {
      let own = Array(logits[place * classes..<(place + 1) * classes])
      if classes == 1 {
        let p = ActivationFunction.sigmoid.value(own[0]) ?? 0.5
        result[place] = p < 0.5 ? p - 1 : p
        continue
      }
      let p = Softmax.probabilities(own)
      var label = Int(generator.next() % UInt64(classes))
      // A sample that the network is sure of has hardly a gradient.
      if p[label] > 0.5 { label = (label + 1) % classes }
      for index in 0..<classes {
        result[place * classes + index] = p[index] - (index == label ? 1 : 0)
      }
    }
    return result
  }

  /// No more weights than these are drawn.
  private static let drawLimit = 1 << 26

  /// The weights with a draw as He and others make it for every parameter that is missing.
  ///
  /// - Parameters:
  ///   - weights: What there is.
  ///   - programs: Whose parameters are needed.
  /// - Returns: The table, and how many parameters were missing.
  /// - Throws: ``CascadeStop`` if more are missing than are drawn.
  static func completed(
    _ weights: ParameterTable, for programs: LayerPrograms
  ) throws(CascadeStop) -> (table: ParameterTable, missing: Int) {
    var table = weights
    var generator = SplitMix64(seed: weightSeed)
    var missing = 0
    let parameters = programs.parameters.values.sorted {
      ($0.key.node, $0.key.role) < ($1.key.node, $1.key.role)
    }
    let absent = parameters.filter { weights[$0.key.node, $0.key.role] == nil }
    let needed = absent.reduce(0.0) { $0 + Double($1.value.type.elementCount) }
    guard needed <= Double(drawLimit) else {
      throw CascadeStop(
        "\(needed.displayed) weights are missing from the file, too many to be drawn")
    }
    for parameter in absent {
      missing += 1
      let shape = parameter.value.type.shape
      let count = parameter.value.type.elementCount
      let elements: [Double]
      switch parameter.key.role {
      case .scale, .runningVariance: elements = Array(repeating: 1, count: count)
      case .bias, .shift, .runningMean: elements = Array(repeating: 0, count: count)
      default:
        let inputs = Double(shape.dropLast().reduce(1, *))
        let bound = (6 / max(inputs, 1)).squareRoot()
        elements = (0..<count).map { _ in generator.uniform(-bound, bound) }
      }
      // Elements are drawn alike, so their order does not matter.
      let arrangement = programs.network.arrangement(of: parameter, in: table.convention)
      table[parameter.key.node, parameter.key.role] = Tensor(
        elements, shape: arrangement.tableShape)
    }
    return (table, missing)
  }
}
