internal import LinearAlgebra
internal import Networks

/// Whether equations from values known further up fix the directions of a map that its gradient
/// equations leave open.
struct InvertibilityOpen {
  /// Channels with the same gradient equations.
  struct Part {
    let channels: [Int]
    /// What is not seen of each channel, `[places, directions]`.
    let open: DenseMatrix
    /// Where its unknowns start: all directions of the first channel, then of the next.
    var start = 0
  }

  /// The outputs of a layer that are known.
  struct Forward {
    let site: KernelSite
    /// `[taps, groupInputs, outputs]`.
    var weight: [Double]
    /// `[outputPlaces, outputs]`.
    let isKnown: [Bool]
    /// The root mean square of the output.
    let size: Double
  }

  /// Entries of the map that are known by themselves.
  struct Direct {
    /// `[places, channels]`.
    let isKnown: [Bool]
    /// The root mean square of the map.
    let size: Double
  }

  /// Independent equations; `nil` if there are too many to count.
  var rank: Int?
  /// `Σ 1/σ²` if all directions are fixed.
  var variance = 0.0

  private var parts: [Part]
  private let channels: Int
  let count: Int
  private(set) var gram: [Double]
  private var used = 0

  /// Multiply-adds that may go into the normal equations.
  private static let workLimit = 1.2e11

  /// About how many multiply-adds that many directions take.
  static func work(_ directions: Int) -> Double {
    let count = Double(directions)
    return 8 * count * count * count
  }

  /// - Throws: ``CascadeStop`` if a number is not finite.
  init(
    _ parts: [Part], channels: Int, forwards: [Forward], direct: Direct?, tolerance: Double
  ) throws(CascadeStop) {
    self.parts = parts
    self.channels = channels
    var count = 0
    for index in parts.indices {
      self.parts[index].start = count
      count += parts[index].open.columns * parts[index].channels.count
    }
    self.count = count
    gram = Array(repeating: 0, count: count * count)
    if let direct { add(direct) }
    let total = forwards.reduce(used) { $0 + $1.isKnown.count { $0 } }
    // A part of the equations suffices where they abound.
    let enough = 4 * count + 256
    let batches = Self.batches(forwards, rows: max(count, 1_024))
    var next = 0
    while next < batches.count, used < enough {
      add(batches[next].places, of: forwards[batches[next].forward])
      next += 1
    }
    try measure(tolerance)
    guard rank != count, next < batches.count else { return }
    guard Double(total) * Double(count) * Double(count) <= Self.workLimit else {
      rank = nil
      return
    }
    for batch in batches[next...] { add(batch.places, of: forwards[batch.forward]) }
    try measure(tolerance)
  }

  /// Output places in a random order, a batch of known outputs at a time.
  private static func batches(
    _ forwards: [Forward], rows: Int
  ) -> [(forward: Int, places: [Int])] {
    var result: [(forward: Int, places: [Int])] = []
    var generator = SplitMix64(seed: 23)
    for (index, forward) in forwards.enumerated() {
      let each = max(rows / max(forward.site.outputs, 1), 1)
      let order = Array(0..<forward.site.outputPlaces).shuffled(using: &generator)
      for start in stride(from: 0, to: order.count, by: each) {
        result.append((index, Array(order[start..<min(start + each, order.count)])))
      }
    }
    return result.shuffled(using: &generator)
  }

  private mutating func add(_ direct: Direct) {
    let weight = 1 / (direct.size * direct.size)
    for part in parts {
      let width = part.open.columns
      for (place, channel) in part.channels.enumerated() {
        let known = (0..<part.open.rows).filter { direct.isKnown[$0 * channels + channel] }
        used += known.count
        let product = part.open.rows(at: known).gram().elements
        let start = part.start + place * width
        for column in 0..<width {
          let target = (start + column) * count + start
          for row in 0..<width { gram[target + row] += weight * product[column * width + row] }
        }
      }
    }
  }

  private mutating func add(_ places: [Int], of forward: Forward) {
    let site = forward.site
    var rowOf = Array(repeating: -1, count: places.count * site.outputs)
    var rows = 0
    for (index, place) in places.enumerated() {
      for output in 0..<site.outputs where forward.isKnown[place * site.outputs + output] {
        rowOf[index * site.outputs + output] = rows
        rows += 1
      }
    }
    guard rows > 0 else { return }
    used += rows
    var elements = Array(repeating: 0.0, count: rows * count)
    for part in parts where part.open.columns > 0 {
      let windows = Self.windows(part.open, site, places)
      for group in 0..<site.groups {
        let own = part.channels.enumerated().filter { $0.element / site.groupInputs == group }
        if own.isEmpty { continue }
        let width = site.groupOutputs
        let product =
          (Self.kernel(forward, own.map { $0.element - group * site.groupInputs }, group)
          * windows).elements
        let height = width * own.count
        for direction in 0..<part.open.columns {
          for (order, entry) in own.enumerated() {
            let target = (part.start + entry.offset * part.open.columns + direction) * rows
            for index in places.indices {
              let source = (direction * places.count + index) * height + order * width
              let base = index * site.outputs + group * width
              for output in 0..<width where rowOf[base + output] >= 0 {
                elements[target + rowOf[base + output]] += product[source + output]
              }
            }
          }
        }
      }
    }
    let product = DenseMatrix(rows: rows, columns: count, elements: elements).gram().elements
    let weight = 1 / (forward.size * forward.size)
    for index in gram.indices { gram[index] += weight * product[index] }
  }

  /// - Shape: `[taps, directions · places]`.
  private static func windows(
    _ open: DenseMatrix, _ site: KernelSite, _ places: [Int]
  ) -> DenseMatrix {
    var elements = Array(repeating: 0.0, count: site.taps * open.columns * places.count)
    for direction in 0..<open.columns {
      let column = open.column(direction)
      for (index, place) in places.enumerated() {
        let target = (direction * places.count + index) * site.taps
        for tap in 0..<site.taps where site.places[tap][place] >= 0 {
          elements[target + tap] = column[site.places[tap][place]]
        }
      }
    }
    return DenseMatrix(
      rows: site.taps, columns: open.columns * places.count, elements: elements)
  }

  /// - Shape: `[channels · groupOutputs, taps]`.
  private static func kernel(_ forward: Forward, _ channels: [Int], _ group: Int) -> DenseMatrix {
    let site = forward.site
    let width = site.groupOutputs
    var elements: [Double] = []
    elements.reserveCapacity(site.taps * channels.count * width)
    for tap in 0..<site.taps {
      for channel in channels {
        let start = (tap * site.groupInputs + channel) * site.outputs + group * width
        elements += forward.weight[start..<start + width]
      }
    }
    return DenseMatrix(rows: channels.count * width, columns: site.taps, elements: elements)
  }
}
