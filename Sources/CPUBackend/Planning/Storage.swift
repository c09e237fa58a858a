/// A piece of memory that values of a plan live in.
struct Storage {
  enum Life {
    /// From binding to binding: inputs, constants and what follows from parameters alone.
    case permanent
    /// From the step that writes it to the last that reads it.
    case temporary
    /// Until the next run, because it is an output.
    case result
  }

  var bytes: Int
  var life: Life
  /// The steps of its first and last use.
  var first = Int.max
  var last = -1
}

/// Where everything lies in one block of memory.
struct Arena {
  /// Bytes of the block.
  private(set) var bytes = 0
  /// The offset of each storage.
  private(set) var offsets: [Int]
  /// The offset of the working memory that steps share.
  let scratch: Int

  static let alignment = 64

  /// Storages that are alive together do not overlap; large ones are placed first, each into the
  /// smallest gap that holds it.
  init(_ storages: [Storage], scratch scratchBytes: Int) {
    offsets = Array(repeating: 0, count: storages.count)
    var base = 0
    for (index, storage) in storages.enumerated() where storage.life != .temporary {
      offsets[index] = base
      base += Self.rounded(storage.bytes)
    }
    let temporary = storages.indices
      .filter { storages[$0].life == .temporary && storages[$0].last >= 0 }
      .sorted { (storages[$0].bytes, $1) > (storages[$1].bytes, $0) }
    var placed: [(range: Range<Int>, storage: Int)] = []
    var top = base
    for index in temporary {
      let size = Self.rounded(storages[index].bytes)
      let alive = placed.filter { other in
        storages[other.storage].first <= storages[index].last
          && storages[index].first <= storages[other.storage].last
      }
      let offset = Self.gap(of: size, from: base, between: alive.map(\.range))
      offsets[index] = offset
      let range = offset..<offset + size
      let position = placed.firstIndex { $0.range.lowerBound > offset } ?? placed.count
      placed.insert((range, index), at: position)
      top = max(top, range.upperBound)
    }
    scratch = top
    bytes = top + Self.rounded(scratchBytes)
  }

  /// Sizes are rounded to cache lines.
  static func rounded(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// The start of the smallest gap that holds `size`; `ranges` ascend but may overlap.
  private static func gap(of size: Int, from base: Int, between ranges: [Range<Int>]) -> Int {
    var (end, best, bestSize) = (base, Int?.none, Int.max)
    for range in ranges {
      let room = range.lowerBound - end
      if room >= size, room < bestSize { (best, bestSize) = (end, room) }
      end = max(end, range.upperBound)
    }
    return best ?? end
  }
}
