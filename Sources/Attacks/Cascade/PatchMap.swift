extension PatchWalk {
  /// Which input value every tap of a zero-padded convolution reads, at every output position.
  ///
  /// `height` and `width` count the positions that may carry a gradient; `high` is the padding that
  /// the last of them see, 0 where the convolution has further positions behind them.
  package struct Map: Sendable, Equatable {
    package let height: Int
    package let width: Int
    /// Height and width of the kernel.
    package let kernel: [Int]
    /// Padding above and to the left.
    package let low: [Int]
    /// Padding below and to the right.
    package let high: [Int]
    package let stride: Int
    /// Input channels.
    package let inputs: Int

    /// - Precondition: positive extents, two numbers for each of the kernel and the paddings, and a
    ///   padding smaller than the kernel.
    package init(
      height: Int, width: Int, kernel: [Int], low: [Int], high: [Int], stride: Int = 1, inputs: Int
    ) {
      precondition(height > 0 && width > 0 && inputs > 0 && stride > 0)
      precondition(kernel.count == 2 && low.count == 2 && high.count == 2)
      for axis in 0..<2 {
        precondition((0..<kernel[axis]).contains(low[axis]), "padding is under the kernel's size")
        precondition((0..<kernel[axis]).contains(high[axis]), "padding is under the kernel's size")
      }
      self.height = height
      self.width = width
      self.kernel = kernel
      self.low = low
      self.high = high
      self.stride = stride
      self.inputs = inputs
    }

    package var positions: Int { height * width }
    package var taps: Int { kernel[0] * kernel[1] }

    /// The values that the positions read along an axis, with stride 1.
    var inputExtents: [Int] {
      zip([height, width], zip(kernel, zip(low, high))).map { $0 + $1.0 - 1 - $1.1.0 - $1.1.1 }
    }

    /// For every tap and position the index of the value read, `nil` in the padding.
    var reads: [[Int?]] {
      let extents = inputExtents
      return (0..<taps).map { tap in
        (0..<positions).map { position in
          let y = position / width + tap / kernel[1] - low[0]
          let x = position % width + tap % kernel[1] - low[1]
          guard y >= 0, y < extents[0], x >= 0, x < extents[1] else { return nil }
          return y * extents[1] + x
        }
      }
    }

    /// Whether zeros beyond the border tell where the map begins, along each axis that has neighbours.
    var hasCorner: Bool {
      zip([height, width], zip(low, high)).allSatisfy { $0 == 1 || $1.0 > 0 || $1.1 > 0 }
    }

    /// Why there is no walk over such a map, whatever the numbers are.
    ///
    /// - Parameters:
    ///   - outputs: channels of the gradient.
    ///   - positions: that carry a gradient at least.
    /// - Returns: `nil` if nothing speaks against one.
    func obstacle(outputs: Int, positions: Int) -> PatchWalkFailure? {
      guard stride == 1 else { return .stride(stride) }
      let extents = [height, width]
      for axis in 0..<2 where extents[axis] > 1 && kernel[axis] == 1 {
        return .noNeighbours(kernel: kernel)
      }
      guard hasCorner else { return .noPadding }
      guard outputs >= positions else {
        return .tooFewOutputs(outputs: outputs, positions: positions)
      }
      let overlap = inputs * (taps - min(kernel[0], kernel[1]))
      guard positions == 1 || overlap >= positions else {
        return .tooFewInputs(inputs: inputs, positions: positions)
      }
      return nil
    }
  }

  /// A corner of the map, from which the walk starts.
  struct Corner: Sendable {
    let map: Map
    /// Whether it lies at the end of the rows, and of the columns.
    let isHigh: [Bool]

    /// The corners whose two sides are padded; an axis with one position needs no padding.
    static func all(of map: Map) -> [Corner] {
      [[false, false], [false, true], [true, false], [true, true]].map {
        Corner(map: map, isHigh: $0)
      }.filter { corner in
        zip([map.height, map.width], [0, 1]).allSatisfy { extent, axis in
          extent == 1 ? !corner.isHigh[axis] : !corner.borderTaps(axis).isEmpty
        }
      }
    }

    /// Taps that read padding at the corner because of one axis.
    func borderTaps(_ axis: Int) -> [Int] {
      let beyond =
        isHigh[axis]
        ? map.kernel[axis] - map.high[axis]..<map.kernel[axis] : 0..<map.low[axis]
      return (0..<map.taps).filter { beyond.contains(coordinate($0, axis)) }
    }

    /// Taps that read padding at the corner.
    var borderTaps: [Int] {
      Array(Set(borderTaps(0)).union(borderTaps(1))).sorted()
    }

    /// Pairs of taps that read the same value: the first at the position one step further along
    /// the axis, away from the corner; the second here.
    func overlaps(_ axis: Int) -> (next: [Int], here: [Int]) {
      let distance = axis == 0 ? map.kernel[1] : 1
      let next = (0..<map.taps).filter {
        let c = coordinate($0, axis)
        return isHigh[axis] ? c > 0 : c < map.kernel[axis] - 1
      }
      return (next, next.map { isHigh[axis] ? $0 - distance : $0 + distance })
    }

    /// The position so many steps down and across from the corner.
    func position(_ down: Int, _ across: Int) -> Int {
      let y = isHigh[0] ? map.height - 1 - down : down
      return y * map.width + (isHigh[1] ? map.width - 1 - across : across)
    }

    private func coordinate(_ tap: Int, _ axis: Int) -> Int {
      axis == 0 ? tap / map.kernel[1] : tap % map.kernel[1]
    }
  }
}
