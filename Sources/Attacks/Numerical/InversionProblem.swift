internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// Why an observation cannot be inverted numerically: what was found and what is needed.
package struct NotInvertible: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// An observation as numerical inversion needs it: what is sought, and what it is compared with.
package struct InversionProblem: Sendable {
  let network: Network
  let weights: ParameterTable
  /// What was observed, as a gradient: signs and the learning rate of a single step are taken out.
  let gradient: ParameterTable
  /// The parameters that are compared, in node order.
  let keys: [ParameterTable.Key]
  let samples: Int
  /// The class of each sample; `nil` if they have to be sought.
  let labels: [Int]?
  let classes: Int
  let loss: Loss
  let mode: ForwardPass.Mode
  /// Between which values inputs lie.
  var box: InputBox?
  /// The steps of a client, if it took several.
  let steps: FederatedPlan?
  /// Whether the size of ``gradient`` is known, and not its direction alone.
  let isScaleKnown: Bool
  /// Standard errors of the entries of each observed tensor.
  let rounding: [ParameterTable.Key: Double]

  /// The most values that are sought: a hundred pictures of 224 × 224 and more, and no size that a
  /// stranger's file may claim.
  private static let valueLimit = 1 << 24

  /// Values of one sample.
  var width: Int { network.inputShapes[0].elementCount ?? 0 }
  /// Values of all samples.
  var count: Int { samples * width }
  /// `[samples, …]`, as the model declares it.
  var shape: [Int] { [samples] + network.inputShapes[0].compactMap { $0 } }

  /// A point with its input values in ``box``; labels behind them stay as they are.
  func boxed(_ point: [Double]) -> [Double] {
    guard let box else { return point }
    var point = point
    point.clamp(to: box.bounds(in: shape))
    return point
  }

  /// - Throws: ``NotInvertible`` naming what is missing.
  package init(
    _ observation: Observation, labels known: [Int]?, seeksLabels: Bool,
    knowing knowledge: Knowledge, box: InputBox?
  ) throws(NotInvertible) {
    network = observation.network
    weights = observation.weights
    self.box =
      box
      ?? observation.inputRange.map {
        InputBox(
          lower: [$0.lowerBound], upper: [$0.upperBound],
          isChannelsFirst: observation.network.isChannelsFirst)
      }
    rounding = observation.rounding
    try Self.require(observation)
    mode = observation.isTrainingMode == true ? .training : .inference
    (steps, samples) = try FederatedPlan.steps(of: observation, labels: known)
    let values = samples.multipliedReportingOverflow(
      by: observation.network.inputShapes[0].elementCount ?? 0)
    guard !values.overflow, values.partialValue <= Self.valueLimit else {
      throw NotInvertible(
        "\(samples) samples are more than are searched for at once; at most \(Self.valueLimit) input "
          + "values are")
    }
    classes = max(observation.network.outputWidth ?? 0, 1)
    loss = try Self.loss(of: observation)
    self.labels = try Self.labels(
      observation, known: known, seeksLabels: seeksLabels, knowledge, samples: samples,
      classes: classes)
    let rate = observation.learningRate
    isScaleKnown = observation.source == .gradient || steps != nil || rate != nil
    var factor = observation.sign ?? 1
    if observation.source == .update { factor = steps == nil ? factor / (rate ?? 1) : 1 }
    let scaled = observation.gradient.scaled(by: factor)
    let compared = scaled.keys.filter { $0.role.isTrainable }
    try Self.require(scaled, compared, observation)
    (gradient, keys) = (scaled, compared)
  }

  private static func require(_ observation: Observation) throws(NotInvertible) {
    let network = observation.network
    guard network.origin == .declared else {
      throw NotInvertible(
        "the files state no architecture; one is needed to simulate a gradient. Add the model")
    }
    guard network.inputShapes.count == 1 else {
      throw NotInvertible("the model has \(network.inputShapes.count) inputs; one is searched for")
    }
    guard !network.nodes.contains(where: { $0.layer is Embedding }) else {
      throw NotInvertible("the input consists of tokens; only real numbers can be searched for")
    }
    guard !observation.weights.tensors.isEmpty else {
      throw NotInvertible(
        "the weights at which it was taken are not known; they are needed to simulate a gradient")
    }
    guard observation.sign != nil else {
      throw NotInvertible("the sign of the gradient is not known")
    }
  }

  private static func require(
    _ gradient: ParameterTable, _ keys: [ParameterTable.Key], _ observation: Observation
  ) throws(NotInvertible) {
    guard !keys.isEmpty else { throw NotInvertible("it holds no gradient of a parameter") }
    var isZero = true
    for key in keys {
      let summary = gradient.tensors[key]?.summary()
      guard gradient.tensors[key]?.elements().allSatisfy(\.isFinite) == true else {
        throw NotInvertible(
          "the gradient of '\(observation.network.nodes[key.node].name)' holds NaN or infinity")
      }
      if summary?.norm != 0 { isZero = false }
    }
    if isZero { throw NotInvertible("every entry of the gradient is zero") }
  }

  private static func loss(of observation: Observation) throws(NotInvertible) -> Loss {
    let loss: Loss
    do throws(UnknownLoss) {
      loss = try observation.network.trainingLoss(
        smoothing: observation.labelSmoothing,
        reduction: observation.reduction == .sum ? .sum : .mean)
    } catch {
      throw NotInvertible(error.description)
    }
    guard loss.comparison != .meanSquaredError else {
      throw NotInvertible("the loss is a squared error; its targets are no classes")
    }
    return loss
  }

  private static func labels(
    _ observation: Observation, known: [Int]?, seeksLabels: Bool, _ knowledge: Knowledge,
    samples: Int, classes: Int
  ) throws(NotInvertible) -> [Int]? {
    if let known {
      guard known.count == samples, known.allSatisfy({ $0 < max(classes, 2) }) else {
        throw NotInvertible(
          "\(known.count) labels are stated; \(samples) are needed, each below \(max(classes, 2))")
      }
      return known
    }
    if seeksLabels { return nil }
    if samples == 1, let present = knowledge.labels?.present, present.count == 1 { return present }
    if let counts = knowledge.labels?.counts, counts.reduce(0, +) == samples {
      return counts.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
    }
    throw NotInvertible(
      "the labels do not follow from the gradient; they are needed. State them with --labels")
  }

  /// Distributions over the classes, one after the other; for one output the share of class 1.
  func targets(_ labels: [Int]) -> [Double] {
    labels.flatMap { Loss.target($0, outputs: classes) }
  }
}

extension ParameterTable {
  /// The same tensors times a factor.
  fileprivate func scaled(by factor: Double) -> ParameterTable {
    guard factor != 1 else { return self }
    var result = ParameterTable(convention: convention)
    for (key, tensor) in tensors {
      result[key.node, key.role] = Tensor(
        tensor.elements().map { $0 * factor }, shape: tensor.shape)
    }
    return result
  }
}
