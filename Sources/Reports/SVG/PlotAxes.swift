internal import AuditModel

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A place on an axis with its label.
struct Tick {
  /// From 0 at the lower to 1 at the upper end.
  var share: Double
  var label: String
}

/// An axis on which every factor of ten is equally long.
struct LogarithmicAxis {
  /// Logarithms of what stands at the ends.
  private let lower: Double
  private let upper: Double
  let ticks: [Tick]

  /// - Parameter values: What the axis has to hold; those that are not finite or not above 0 have no
  ///   say.
  init(_ values: some Sequence<Double>) {
    let logarithms = values.filter { $0.isFinite && $0 > 0 }.map { log10($0) }
    let (least, most) = (logarithms.min() ?? -1, logarithms.max() ?? 0)
    // Steps within a decade have labels where there are few decades; the ends are at labels.
    let span = most - least
    let steps = span < 0.7 ? [1.0, 2, 3, 4, 5, 6, 7, 8, 9] : span < 1.5 ? [1, 2, 5] : [1]
    // What is a label already must not move by rounding.
    let slack = 1e-9
    let exponents = Int((least - slack).rounded(.down))...Int((most + slack).rounded(.up))
    var marks = exponents.flatMap { exponent in
      steps.map { (value: $0, exponent: exponent, place: log10($0) + Double(exponent)) }
    }
    let start = marks.lastIndex { $0.place <= least + slack } ?? 0
    let end = marks.firstIndex { $0.place >= most - slack && $0.place > marks[start].place }
    marks = Array(marks[start...(end ?? marks.count - 1)])
    let (lower, upper) = (marks[0].place, max(marks[marks.count - 1].place, marks[0].place + 0.1))
    self.lower = lower
    self.upper = upper
    let stride = (marks.count + 7) / 8
    ticks = marks.enumerated().filter { $0.offset.isMultiple(of: stride) }.map { _, mark in
      Tick(
        share: (mark.place - lower) / (upper - lower),
        label: Double("\(mark.value)e\(mark.exponent)").map { DisplayedNumber.significant($0) }
          ?? "")
    }
  }

  /// Where a value lies; what is not above 0 lies at the lower end.
  func share(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    return min(max((log10(value) - lower) / (upper - lower), 0), 1)
  }
}

/// An axis from 0 on which every step is equally long.
struct CountingAxis {
  private let last: Int
  let ticks: [Tick]

  /// - Parameter last: What stands at the upper end.
  init(last: Int) {
    let last = max(last, 1)
    self.last = last
    var step = 1
    var factors = [2, 5, 10][...]
    var decade = 1
    while last / step > 6, decade <= last {
      if factors.isEmpty { (factors, decade) = ([2, 5, 10], decade * 10) }
      step = decade * factors.removeFirst()
    }
    ticks = (0...last / step).map {
      let count = $0 * step
      let isShort = count < 1_000_000
      return Tick(
        share: Double(count) / Double(last),
        label: isShort
          ? DisplayedNumber.grouped(count) : DisplayedNumber.significant(Double(count)))
    }
  }

  func share(_ count: Int) -> Double { min(max(Double(count) / Double(last), 0), 1) }
}
