/// A day of the Gregorian calendar, without a time and without a time zone.
public struct CalendarDate: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
  public let year: Int
  public let month: Int
  public let day: Int

  /// Reads `YYYY-MM-DD`.
  ///
  /// - Returns: `nil` for any other form, and for a day that the calendar does not have.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let isNumeric = parts.allSatisfy { part in part.utf8.allSatisfy { (48...57).contains($0) } }
    guard parts.map(\.utf8.count) == [4, 2, 2], isNumeric, let year = Int(parts[0]), year > 0,
      let month = Int(parts[1]), (1...12).contains(month), let day = Int(parts[2]),
      (1...Self.length(ofMonth: month, year: year)).contains(day)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The day in UTC that lies `seconds` after the start of 1970.
  ///
  /// Source: the calendar repeats after 400 years, which are 146,097 days.
  public init(secondsSince1970 seconds: Int) {
    var days = Int((Double(seconds) / 86_400).rounded(.down))
    var year = 1970
    let eras = Int((Double(days) / 146_097).rounded(.down))
    year += 400 * eras
    days -= 146_097 * eras
    while days >= (Self.isLeap(year) ? 366 : 365) {
      days -= Self.isLeap(year) ? 366 : 365
      year += 1
    }
    var month = 1
    while days >= Self.length(ofMonth: month, year: year) {
      days -= Self.length(ofMonth: month, year: year)
      month += 1
    }
    (self.year, self.month, self.day) = (year, month, days + 1)
  }

  /// `YYYY-MM-DD`.
  public var description: String {
    String(repeating: "0", count: max(4 - "\(year)".count, 0)) + "\(year)-"
      + (month < 10 ? "0" : "") + "\(month)-" + (day < 10 ? "0" : "") + "\(day)"
  }

  public static func < (lhs: Self, rhs: Self) -> Bool {
    (lhs.year, lhs.month, lhs.day) < (rhs.year, rhs.month, rhs.day)
  }

  private static func isLeap(_ year: Int) -> Bool {
    year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
  }

  private static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
