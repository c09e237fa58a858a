/// Optimiser state that a file carries, as far as rules and reports need it.
public struct OptimizerSummary: Hashable, Sendable {
  /// What a slot holds per parameter.
  public enum Slot: String, Hashable, Sendable, Comparable {
    /// An exponential mean of gradients; after one step it is proportional to the gradient.
    case firstMoment = "first moment"
    /// An exponential mean of squared gradients.
    case secondMoment = "second moment"
    /// The momentum buffer of SGD; after one step it is proportional to the gradient.
    case momentum
    /// A sum of gradients that have not been applied yet.
    case accumulatedGradient = "accumulated gradient"
    /// A slot whose meaning is not known.
    case other

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

    /// Whether the slot is linear in the gradients of past steps.
    public var isLinearInGradients: Bool {
      self == .firstMoment || self == .momentum || self == .accumulatedGradient
    }
  }

  /// The optimiser as the file names it, such as `adam`.
  public var name: String
  /// Steps taken, if the file says so.
  public var steps: Int?
  /// The kinds of slot present, sorted.
  public var slots: [Slot]
  /// Number of slot tensors.
  public var tensorCount: Int

  public init(name: String, steps: Int?, slots: [Slot], tensorCount: Int) {
    self.name = name
    self.steps = steps
    self.slots = slots
    self.tensorCount = tensorCount
  }
}
