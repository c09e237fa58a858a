/// A recurrent layer over the steps of a sequence, starting from zeros.
///
/// - Shape: `[steps, features]` → `[units]`, or `[steps, units]` with `returnsSequences`.
public struct Recurrent: Layer {
  public static let kind = "recurrent"

  public enum Cell: Hashable, Sendable {
    /// Hochreiter & Schmidhuber, *Long Short-Term Memory*, 1997, with forget gates.
    case lstm
    /// Cho et al., EMNLP 2014; with `resetsAfter` the reset gate acts behind the product.
    case gru(resetsAfter: Bool)
    /// `h′ = φ(W x + U h + b)`.
    case simple
    /// A cell by name, of which the file says no more.
    case unstated(String)
  }

  /// Which biases tables hold.
  public enum Bias: Hashable, Sendable {
    case none
    /// One for input and state together.
    case joint
    /// One for the input and one for the state, as in PyTorch.
    case separate
    /// Both as the rows of one matrix, as Keras holds those of a GRU that resets after.
    case rows
  }

  public var cell: Cell
  public var units: Int
  public var returnsSequences: Bool
  public var bias: Bias
  /// What becomes of the candidate and, in an LSTM, of the cell state.
  public var activation: ActivationFunction
  /// What becomes of the gates.
  public var gateActivation: ActivationFunction
  /// Whether the last step comes first; a returned sequence is in the order it was computed in.
  public var isReversed: Bool

  public init(
    _ cell: Cell, units: Int, returnsSequences: Bool = false, bias: Bias = .joint,
    activation: ActivationFunction = .tanh, gateActivation: ActivationFunction = .sigmoid,
    isReversed: Bool = false
  ) {
    self.cell = cell
    self.units = units
    self.returnsSequences = returnsSequences
    self.bias = bias
    self.activation = activation
    self.gateActivation = gateActivation
    self.isReversed = isReversed
  }

  public var detail: String? {
    switch cell {
    case .lstm: "LSTM"
    case .gru: "GRU"
    case .simple: "simple"
    case .unstated(let name): name
    }
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count == 2, units > 0 else {
      throw ShapeMismatch(input, expected: "a recurrent layer needs steps and features")
    }
    return returnsSequences ? [input[0], units] : [units]
  }

  /// How many blocks of `units` its matrices have.
  var gateCount: Int {
    switch cell {
    case .lstm: 4
    case .gru: 3
    case .simple, .unstated: 1
    }
  }
}
