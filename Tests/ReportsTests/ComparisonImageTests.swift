import AuditModel
import Foundation
import Reports
import Testing

@Suite("Originals beside recoveries")
struct ComparisonImageTests {
  private func written(
    _ write: (String) throws -> Void
  ) throws -> Data {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "leakaudit-\(UUID()).png").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(path)
    return try Data(contentsOf: URL(filePath: path))
  }

  @Test("left is the original, right the recovery, and the gap is white")
  func pair() throws {
    let layout = PictureLayout(height: 2, width: 2, channels: .last(1))
    let found = try written {
      try ComparisonImage.write([([0, 0.25, 0.5, 1], [1, 0.75, 0.5, 0])], layout, to: $0)
    }
    let expected = try written {
      _ = try PortableImage.write(
        [0, 0.25, 1, 1, 1, 0.75, 0.5, 1, 1, 1, 0.5, 0],
        PictureLayout(height: 2, width: 6, channels: .last(1)), to: $0)
    }
    #expect(found == expected)
  }

  @Test("pairs stand below each other, in the same brightness, colours in either order")
  func rows() throws {
    // Two pairs of one red pixel each; the range −1…3 is that of the originals.
    let pairs: [(original: [Double], recovered: [Double])] = [
      ([3, -1, -1], [9, -9, 1]), ([1, -1, 3], [-1, -1, -1]),
    ]
    let white = [Double](repeating: 3, count: 3)
    let rows =
      pairs[0].original + white + white + [3, -1, 1]
      + (0..<8).flatMap { _ in (0..<4).flatMap { _ in white } } + pairs[1].original + white + white
      + pairs[1].recovered
    let expected = try written {
      _ = try PortableImage.write(
        rows, PictureLayout(height: 10, width: 4, channels: .last(3)), to: $0)
    }
    for channels in [ChannelAxis.last(3), .first(3)] {
      let found = try written {
        try ComparisonImage.write(
          pairs, PictureLayout(height: 1, width: 1, channels: channels), to: $0)
      }
      #expect(found == expected)
    }
  }

  @Test("many pairs stand in columns, about square", arguments: [(1, 1), (2, 1), (8, 2), (100, 7)])
  func columns(count: Int, columns: Int) throws {
    let sample = [Double](repeating: 0.5, count: 1_024)
    let layout = PictureLayout(height: 32, width: 32, channels: .last(1))
    let bytes = try written {
      try ComparisonImage.write(
        [(original: [Double], recovered: [Double])](repeating: (sample, sample), count: count),
        layout, to: $0)
    }
    let width = columns * (2 * 32 + 2 + 8) - 8
    let height = (count + columns - 1) / columns * (32 + 8) - 8
    #expect(Array(bytes[18..<20]) == [UInt8(width / 256), UInt8(width % 256)])
    #expect(Array(bytes[22..<24]) == [UInt8(height / 256), UInt8(height % 256)])
  }

  @Test("a sample that is no picture is refused")
  func refused() {
    let layout = PictureLayout(height: 2, width: 2, channels: .last(1))
    #expect(throws: ReportWriteError.self) {
      try ComparisonImage.write([([0, 0, 0, 0], [0])], layout, to: "nowhere.png")
    }
  }
}
