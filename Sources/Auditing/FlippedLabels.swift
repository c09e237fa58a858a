internal import Attacks
internal import AuditModel
internal import Networks
internal import Rules
internal import Tensors

/// What a gradient gives away of the classes whose rows of the classifier changed places.
///
/// A sample of class a that a trained network recognises is taken for class b once both rows are
/// exchanged: its loss gradient at the outputs is e_b − e_a, of length √2, where that of other
/// samples is nearly zero. So rows a and b of the classifier's gradient hold its features, and
/// b̄_a < 0 proves that the class was there. Samples of a and of b cancel in b̄, not in the norms.
///
/// - Source: Geiping et al. 2020, appendix A.2.
struct FlippedLabels {
  private let layer: String
  private let source: String
  private let moved: [Int]
  /// Root-mean-square norm of the moved rows over the median norm of the others.
  private let dominance: Double
  /// Of the squared norm of the classifier's gradient, what the moved rows hold.
  private let share: Double
  /// The moved classes that were certainly in the batch.
  private let present: [Int]
  /// The best proof of an input of such a class.
  private let recovery: Knowledge.Recovery?

  /// `nil` where the gradient of that classifier is not there or is no number.
  init?(_ exchange: Permutation, _ observation: Observation, _ knowledge: Knowledge) {
    guard let gradient = observation.gradient.matrix(exchange.node),
      exchange.moved.allSatisfy({ $0 < gradient.outputs })
    else { return nil }
    let squares = (0..<gradient.outputs).map { row in
      gradient.row(row).reduce(0) { $0 + $1 * $1 }
    }
    let total = squares.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    let moved = exchange.moved
    self.moved = moved
    layer = exchange.layer
    source = observation.sourceName
    let own = moved.reduce(0) { $0 + squares[$1] }
    share = own / total
    let others = squares.indices.filter { !moved.contains($0) }.map { squares[$0] }.sorted()
    let middle = others.isEmpty ? 0 : others[others.count / 2]
    dominance = (own / Double(moved.count) / middle).squareRoot()
    present = (knowledge.labels?.present ?? []).filter(moved.contains)
    recovery = knowledge.recoveries.values.filter { recovery in
      recovery.isProven && recovery.labels.contains { $0.map(exchange.moved.contains) ?? false }
    }.min { $0.node < $1.node }
  }

  /// Adds what the gradient shows to the finding about the rows.
  func join(_ finding: inout Finding) {
    guard finding.id == Permutation.rule else { return }
    finding.message +=
      " In the \(source) \(moved.count == 2 ? "their" : "their \(moved.count)") rows hold "
      + "\((100 * share).displayed) % of the squared gradient of '\(layer)', "
      + "\(dominance.displayed) times the norm of the others each. \(presence)\(proof)"
    finding.measurements += [
      .init("moved rows' share of the classifier's squared gradient", share.displayed),
      .init("norm of the moved rows over the median of the others", dominance.displayed),
    ]
    if let recovery {
      finding.measurements.append(
        .init(
          "certificate (relative error of \(recovery.scope))",
          (recovery.certificates.max() ?? 0).displayed))
    }
    finding.preconditions.append(
      "A moved class that is not named can have been in the batch: samples of two exchanged classes "
        + "cancel in the bias gradient.")
  }

  private var presence: String {
    let classes = present.map(String.init)
    switch classes.count {
    case 0: return "Which of them were in the batch does not follow."
    case 1: return "Class \(classes[0]) was certainly in the batch."
    default:
      return
        "Classes \(classes.dropLast().joined(separator: ", ")) and \(classes[classes.count - 1]) "
        + "were certainly in the batch."
    }
  }

  private var proof: String {
    guard let recovery else { return "" }
    let count = recovery.labels.count { $0.map(moved.contains) ?? false }
    return " \(DisplayedNumber.counted(count, "sample")) of these classes "
      + "\(count == 1 ? "was" : "were") read back and proven."
  }
}
