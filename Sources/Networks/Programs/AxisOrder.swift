internal import Tensors

/// How a parameter's axes in PyTorch's convention relate to those in a graph.
///
/// Only kernels differ: dense `[outputs, inputs]` against `[inputs, outputs]`, convolution
/// `[outputs, inputs, taps…]` against `[taps…, inputs, outputs]`.
struct AxisOrder {
  /// The graph's axis behind each axis of PyTorch.
  let axes: [Int]

  init(_ role: ParameterRole, rank: Int) {
    axes =
      role == .weight && rank >= 2
      ? [rank - 1, rank - 2] + Array(0..<rank - 2) : Array(0..<rank)
  }

  var isIdentity: Bool { axes == Array(axes.indices) }

  /// The shape in PyTorch's convention of what has `shape` in a graph.
  func declared(_ shape: [Int]) -> [Int] { axes.map { shape[$0] } }
}

extension ParameterTable {
  /// The elements of a parameter in the graph's axis order, row-major.
  ///
  /// - Returns: `nil` if the table has no such parameter.
  public func graphElements(_ key: Key) -> [Double]? {
    guard let tensor = tensors[key] else { return nil }
    let order = AxisOrder(key.role, rank: tensor.shape.count)
    guard convention == .channelsFirst, !order.isIdentity else { return tensor.elements() }
    // The kernel is an outputs × inputs matrix of runs of taps.
    let elements = tensor.elements()
    let (outputs, inputs) = (tensor.shape[0], tensor.shape[1])
    let taps = tensor.shape.dropFirst(2).reduce(1, *)
    var moved = Array(repeating: 0.0, count: elements.count)
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<taps {
          moved[(tap * inputs + input) * outputs + output] =
            elements[(output * inputs + input) * taps + tap]
        }
      }
    }
    return moved
  }
}
