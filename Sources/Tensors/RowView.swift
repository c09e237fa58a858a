/// A tensor read as a matrix whose rows are the units of a layer; nothing is copied.
///
/// The units lie along the first or the last axis of the tensor, and all other axes together are
/// the columns, in stored order.
public struct RowView: Sendable {
  /// Where a row's numbers lie.
  public enum Axis: Sendable {
    /// Next to each other: the units are the first axis.
    case first
    /// One in each line: the units are the last axis.
    case last
  }

  public let tensor: Tensor
  public let axis: Axis
  public let rows: Int
  public let columns: Int

  /// - Parameters:
  ///   - tensor: What is read.
  ///   - axis: Along which axis the units lie.
  ///   - rows: Number of units; by default the extent of the axis.
  /// - Precondition: `tensor` has an axis, and `rows` divides its number of elements.
  public init(_ tensor: Tensor, unitsAlong axis: Axis, rows: Int? = nil) {
    let extent = axis == .first ? tensor.shape.first : tensor.shape.last
    let rows = rows ?? extent ?? 0
    precondition(rows > 0 && tensor.count % rows == 0, "units divide a tensor evenly")
    self.tensor = tensor
    self.axis = axis
    self.rows = rows
    columns = tensor.count / rows
  }

  /// The same numbers with rows and columns exchanged.
  public var transposed: RowView {
    RowView(tensor, unitsAlong: axis == .first ? .last : .first, rows: columns)
  }

  /// One number.
  public subscript(row: Int, column: Int) -> Double {
    axis == .first ? tensor[row * columns + column] : tensor[column * rows + row]
  }

  /// The numbers of one row.
  ///
  /// - Shape: `[columns]`.
  public func row(_ row: Int) -> [Double] {
    axis == .first
      ? tensor.elements(in: row * columns..<(row + 1) * columns)
      : (0..<columns).map { tensor[$0 * rows + row] }
  }
}
