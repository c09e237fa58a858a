import AuditModel
import Testing

@Suite("Calendar date")
struct CalendarDateTests {
  @Test(
    "a day reads back as it is written",
    arguments: ["1970-01-01", "2024-02-29", "2000-02-29", "2026-12-31", "0001-01-01", "9999-12-31"])
  func days(text: String) throws {
    #expect(try #require(CalendarDate(text)).description == text)
  }

  @Test(
    "what is no day of the calendar is refused",
    arguments: [
      "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "2026-1-1", "26-01-01",
      "2026-01-01T00", "", "tomorrow", "+026-01-01", "2026-01-0١", "0000-01-01",
    ])
  func noDays(text: String) { #expect(CalendarDate(text) == nil) }

  // Computed by Python's datetime.
  @Test(
    "seconds since 1970 give the day in UTC",
    arguments: [
      (0, "1970-01-01"), (86_399, "1970-01-01"), (86_400, "1970-01-02"), (-1, "1969-12-31"),
      (951_782_400, "2000-02-29"), (1_795_759_200, "2026-11-27"), (4_107_542_399, "2100-02-28"),
      (4_107_542_400, "2100-03-01"), (-2_208_988_800, "1900-01-01"),
    ])
  func clock(seconds: Int, day: String) {
    #expect(CalendarDate(secondsSince1970: seconds).description == day)
  }

  @Test("days are in the order of time")
  func order() throws {
    let days = ["2025-12-31", "2026-01-01", "2026-01-02", "2026-02-01"].compactMap {
      CalendarDate($0)
    }
    #expect(days == days.sorted() && days.count == 4)
  }
}
