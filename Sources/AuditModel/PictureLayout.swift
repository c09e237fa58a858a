/// Where the channels of a picture lie among its values.
package enum ChannelAxis: Hashable, Sendable {
  /// Values of one pixel lie side by side, this many of them.
  case last(Int)
  /// The values of one channel lie side by side; there are this many channels.
  case first(Int)

  package var count: Int {
    switch self {
    case .last(let count), .first(let count): count
    }
  }

  /// The channel that each of `count` values belongs to.
  ///
  /// - Returns: `nil` if the values cannot be parted into so many channels.
  package func channels(of count: Int) -> [Int]? {
    guard self.count > 0, count > 0, count.isMultiple(of: self.count) else { return nil }
    let pixels = count / self.count
    return (0..<count).map { place in
      if case .last = self { place % self.count } else { place / pixels }
    }
  }
}

/// How the values of a sample make a picture, row-major.
package struct PictureLayout: Hashable, Sendable {
  /// Rows of pixels.
  package var height: Int
  /// Pixels in each row.
  package var width: Int
  package var channels: ChannelAxis

  package init(height: Int, width: Int, channels: ChannelAxis) {
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// Number of values of a sample.
  package var count: Int { height * width * channels.count }

  /// The values of one channel, row-major, shape `[height, width]`.
  ///
  /// - Precondition: `sample` has ``count`` values.
  package func plane(_ channel: Int, of sample: [Double]) -> [Double] {
    let area = height * width
    return switch channels {
    case .first: Array(sample[channel * area..<(channel + 1) * area])
    case .last(let count): (0..<area).map { sample[$0 * count + channel] }
    }
  }
}
