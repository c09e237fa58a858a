import AuditModel
import Foundation
import Reports
import Testing

@Suite("Pictures")
struct PortableImageTests {
  @Test("a picture is a PNG with the stated size, 8 bits and colour type", arguments: [1, 3])
  func header(channels: Int) throws {
    let bytes = try written(
      [Double](repeating: 0.5, count: 5 * 7 * channels), height: 5, width: 7, channels: channels)
    #expect(bytes.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(bytes[12..<16] == Array("IHDR".utf8)[...])
    #expect(Array(bytes[16..<24]) == [0, 0, 0, 7, 0, 0, 0, 5])
    #expect(Array(bytes[24..<26]) == [8, channels == 3 ? 2 : 0])
  }

  @Test("both channel orders of one sample give the same file")
  func channelOrder() throws {
    let (height, width, channels) = (2, 3, 3)
    let last = (0..<18).map { Double($0) / 18 }
    let first = (0..<channels).flatMap { channel in
      (0..<height * width).map { last[$0 * channels + channel] }
    }
    let a = try written(last, height: height, width: width, channels: channels)
    let b = try written(
      first, height: height, width: width, channels: channels, channelsFirst: true)
    let c = try written(
      first, height: height, width: width, channels: channels, channelsFirst: false)
    #expect(a == b)
    #expect(a != c)
  }

  @Test(
    "the range of the values decides the mapping",
    arguments: [
      ([0, 1], .unitInterval), ([-0.05, 1.05], .unitInterval), ([0, 0.001], .unitInterval),
      ([0, 255], .bytes), ([-3, 250], .bytes), ([-2.1, 2.6], .range(lower: -2.1, upper: 2.6)),
      ([-100, 255], .range(lower: -100, upper: 255)), ([7, 7], .constant(7)),
      ([.nan, .infinity], .nothingFinite), ([.nan, 0.5], .unitInterval),
    ] as [([Double], PortableImage.Mapping)])
  func mapping(values: [Double], expected: PortableImage.Mapping) throws {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let mapping = try PortableImage.write(
      values, PictureLayout(height: 1, width: 2, channels: .last(1)), to: path)
    #expect(mapping == expected)
    #expect(!mapping.description.isEmpty)
  }

  @Test("values beyond the range are clamped and a value that is no number is black")
  func clamping() throws {
    let odd = try written([-0.1, 1.1, .nan, .infinity], height: 1, width: 4, channels: 1)
    let plain = try written([0, 1, 0, 1], height: 1, width: 4, channels: 1)
    #expect(odd == plain)
    let huge = try written(
      [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], height: 1, width: 2, channels: 1)
    #expect(huge == (try written([0, 1], height: 1, width: 2, channels: 1)))
  }

  @Test(
    "a shape that is no picture is refused with advice",
    arguments: [
      (3, 2, 2, 1, .valueCount(found: 3, height: 2, width: 2, channels: 1)),
      (8, 2, 2, 2, .channels(found: 2)),
      (0, 0, 4, 1, .extent(height: 0, width: 4, longest: 1_000_000)),
      (1, .max, 2, 1, .extent(height: .max, width: 2, longest: 1_000_000)),
    ] as [(Int, Int, Int, Int, ReportWriteError.Reason)])
  func refusedShapes(
    count: Int, height: Int, width: Int, channels: Int, reason: ReportWriteError.Reason
  ) {
    let error = #expect(throws: ReportWriteError.self) {
      try written(
        [Double](repeating: 0, count: count), height: height, width: width, channels: channels)
    }
    #expect(error?.reason == reason)
    #expect(error?.description.contains("need") == true)
  }

  @Test("a folder that does not exist and a zero byte in the path are refused")
  func refusedPaths() {
    let missing = temporaryPath() + "/no/\u{1B}such.png"
    let error = #expect(throws: ReportWriteError.self) {
      try PortableImage.write(
        [0], PictureLayout(height: 1, width: 1, channels: .first(1)), to: missing)
    }
    #expect(error?.description.contains("existing folder") == true)
    #expect(error?.description.contains("\u{1B}") == false)
    let zero = #expect(throws: ReportWriteError.self) {
      try PortableImage.write(
        [0], PictureLayout(height: 1, width: 1, channels: .first(1)), to: "a\u{0}b")
    }
    #expect(zero?.reason == .path)
  }

  private func written(
    _ values: [Double], height: Int, width: Int, channels: Int, channelsFirst: Bool = false
  ) throws -> [UInt8] {
    let path = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = try PortableImage.write(
      values,
      PictureLayout(
        height: height, width: width,
        channels: channelsFirst ? .first(channels) : .last(channels)), to: path)
    return try [UInt8](Data(contentsOf: URL(filePath: path)))
  }

  private func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appending(path: "leakaudit-\(UUID()).png").path
  }
}
