/// Which element of a tensor in memory belongs to each position of another shape.
///
/// Transposes, slices, broadcasts and most reshapes are accesses, not copies.
struct Access: Hashable, Sendable {
  /// The element at the first position.
  var offset: Int
  var extents: [Int]
  /// How many elements lie between neighbours along each axis; 0 repeats an element.
  var strides: [Int]

  init(offset: Int = 0, extents: [Int], strides: [Int]) {
    self.offset = offset
    self.extents = extents
    self.strides = strides
  }

  /// Row-major access to a tensor of its own shape.
  init(dense shape: [Int]) {
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    self.init(extents: shape, strides: strides)
  }

  var count: Int { extents.reduce(1, *) }

  /// Whether positions in row-major order are elements in the order of memory, from the first.
  var isDense: Bool {
    let short = collapsed
    return offset == 0 && (short.extents.isEmpty || (short.strides == [1]))
  }

  /// The same access with as few axes as possible: extents of 1 dropped, neighbours merged.
  var collapsed: Access {
    var short = Access(offset: offset, extents: [], strides: [])
    for (extent, stride) in zip(extents, strides) where extent != 1 {
      if let last = short.strides.last, last == stride * extent {
        short.extents[short.extents.count - 1] *= extent
        short.strides[short.strides.count - 1] = stride
      } else {
        short.extents.append(extent)
        short.strides.append(stride)
      }
    }
    return short
  }

  func permuted(_ permutation: [Int]) -> Access {
    Access(
      offset: offset, extents: permutation.map { extents[$0] },
      strides: permutation.map { strides[$0] })
  }

  func sliced(starts: [Int], steps: [Int], extents: [Int]) -> Access {
    Access(
      offset: zip(starts, strides).reduce(offset) { $0 + $1.0 * $1.1 }, extents: extents,
      strides: zip(steps, strides).map { $0 * $1 })
  }

  func broadcast(to shape: [Int], axes: [Int]) -> Access {
    var repeated = Access(
      offset: offset, extents: shape, strides: Array(repeating: 0, count: shape.count))
    for (axis, target) in axes.enumerated() { repeated.strides[target] = strides[axis] }
    return repeated
  }

  /// The same elements in another shape; `nil` if no strides describe that.
  func reshaped(to shape: [Int]) -> Access? {
    var left = collapsed
    var strides = Array(repeating: 0, count: shape.count)
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      let last = left.extents.count - 1
      guard last >= 0, left.extents[last] % shape[axis] == 0 else { return nil }
      strides[axis] = left.strides[last]
      left.extents[last] /= shape[axis]
      left.strides[last] *= shape[axis]
      if left.extents[last] == 1 {
        left.extents.removeLast()
        left.strides.removeLast()
      }
    }
    return left.extents.isEmpty ? Access(offset: offset, extents: shape, strides: strides) : nil
  }
}
