/// A loss by a name that is not known here.
public struct UnknownLoss: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: String

  public var description: String {
    "loss '\(name)' is not known here; known losses: "
      + Loss.names.map(\.name).joined(separator: ", ")
  }
}

extension Network {
  /// What training minimises: the loss that the network states, and without one the cross-entropy that
  /// fits its outputs.
  ///
  /// - Throws: ``UnknownLoss`` if the stated one is not known here.
  public func trainingLoss(
    smoothing: Double = 0, reduction: Loss.Reduction = .mean
  ) throws(UnknownLoss) -> Loss {
    if let loss { return try Loss(named: loss, smoothing: smoothing, reduction: reduction) }
    return Loss(
      outputWidth == 1 ? .binaryCrossEntropy : .softmaxCrossEntropy, smoothing: smoothing,
      reduction: reduction)
  }

  /// The last extent of the last output, if it is known.
  public var outputWidth: Int? {
    outputs.last.flatMap { nodes[$0].outputShape?.last }.flatMap { $0 }
  }
}

extension Loss {
  /// What a cross-entropy compares the outputs for one sample with: a distribution over the classes, or
  /// for a single output the share of class 1.
  public static func target(_ label: Int, outputs: Int) -> [Double] {
    outputs == 1 ? [Double(label)] : (0..<outputs).map { $0 == label ? 1 : 0 }
  }

  /// This project's name of each comparison, with what Keras and PyTorch call it.
  static let names: [(name: String, comparison: Comparison, others: Set<String>)] = [
    (
      "softmax-cross-entropy", .softmaxCrossEntropy,
      [
        "categoricalcrossentropy", "sparsecategoricalcrossentropy", "crossentropyloss",
        "crossentropy",
      ]
    ),
    (
      "binary-cross-entropy", .binaryCrossEntropy,
      ["binarycrossentropy", "bcewithlogitsloss", "bceloss"]
    ),
    ("mean-squared-error", .meanSquaredError, ["meansquarederror", "mse", "mseloss"]),
  ]

  /// This project's name of the comparison.
  public var name: String {
    Self.names.first { $0.comparison == comparison }?.name ?? "\(comparison)"
  }

  /// The loss that a file names, as this project, Keras or PyTorch writes it.
  ///
  /// - Throws: ``UnknownLoss``, listing the known ones.
  public init(
    named name: String, smoothing: Double = 0, reduction: Reduction = .mean
  ) throws(UnknownLoss) {
    let plain = name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    let known = Self.names.first { entry in
      entry.name.filter { $0 != "-" } == plain || entry.others.contains(plain)
    }
    guard let known else { throw UnknownLoss(name: name) }
    self.init(known.comparison, smoothing: smoothing, reduction: reduction)
  }
}
