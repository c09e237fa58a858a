/// A recurrent layer: LSTM, GRU or simple.
public struct Recurrent: Layer {
  public static let kind = "recurrent"

  /// The class name the file uses.
  public var cell: String
  public var units: Int
  public var returnsSequences: Bool

  public init(cell: String, units: Int, returnsSequences: Bool) {
    self.cell = cell
    self.units = units
    self.returnsSequences = returnsSequences
  }

  public var detail: String? { cell }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count == 2 else {
      throw ShapeMismatch(input, expected: "a recurrent layer needs steps and features")
    }
    return returnsSequences ? [input[0], units] : [units]
  }
}
