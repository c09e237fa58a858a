/// Walks the multi-dimensional positions of a shape in row-major order.
struct RowMajorPositions: Sequence, IteratorProtocol {
  private let shape: [Int]
  private var position: [Int]?

  init(_ shape: [Int]) {
    self.shape = shape
    position = shape.contains(0) ? nil : Array(repeating: 0, count: shape.count)
  }

  mutating func next() -> [Int]? {
    guard let current = position else { return nil }
    var following = current
    for axis in shape.indices.reversed() {
      following[axis] += 1
      if following[axis] < shape[axis] {
        position = following
        return current
      }
      following[axis] = 0
    }
    position = nil
    return current
  }
}

extension [Int] {
  /// The flat offset of a position, given the strides of its tensor.
  func offset(_ strides: [Int]) -> Int {
    var offset = 0
    for axis in indices { offset += self[axis] * strides[axis] }
    return offset
  }
}
