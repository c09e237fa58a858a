import Checkpoints
import Testing

@Suite("ZIP archives")
struct ZipArchiveTests {
  private static let sound = ZipBytes(
    .init(name: "config.json", data: Array("{}".utf8)), .init(name: "assets/", data: []),
    .init(name: "model.weights.h5", data: Array(0..<40)))

  private func members(_ bytes: [UInt8]) throws(ZipArchive.Failure) -> [String: [UInt8]] {
    // Safe: the memory outlives the archive.
    let memory = Memory(bytes)
    let archive = try unsafe ZipArchive(memory.bytes)
    return Dictionary(
      uniqueKeysWithValues: archive.members.map { ($0.name, Array(bytes[$0.range])) })
  }

  @Test("stored members are found where they lie, folders are passed over")
  func members() throws {
    let found = try members(Self.sound.bytes)
    #expect(found == ["config.json": Array("{}".utf8), "model.weights.h5": Array(0..<40)])
  }

  @Test("a comment behind the directory does no harm")
  func comment() throws {
    var zip = Self.sound
    zip.comment = Array("PK\u{5}\u{6} said the archive, at some length".utf8)
    #expect(try members(zip.bytes).count == 2)
  }

  @Test("an archive cut at any byte is an error")
  func truncation() {
    let bytes = Self.sound.bytes
    for count in bytes.indices {
      #expect(throws: ZipArchive.Failure.self, "\(count)") {
        _ = try members(Array(bytes[..<count]))
      }
    }
  }

  @Test("no single wrong byte leads out of the file")
  func wrongBytes() {
    let bytes = Self.sound.bytes
    for index in bytes.indices {
      for value in [0x00, 0x01, 0x7f, 0x80, 0xff] as [UInt8] {
        var changed = bytes
        changed[index] = value
        // Cutting the members out of the array traps if a range leaves it.
        _ = try? members(changed)
      }
    }
  }

  @Test(
    "a broken archive is refused for its reason",
    arguments: [
      ("two members", ZipBytes(.init(name: "a"), .init(name: "a"))),
      ("'../a' names a place outside", ZipBytes(.init(name: "../a"))),
      ("'a/../../b' names a place outside", ZipBytes(.init(name: "a/../../b"))),
      ("'/etc/passwd' names a place outside", ZipBytes(.init(name: "/etc/passwd"))),
      (#"'..\a' names a place outside"#, ZipBytes(.init(name: #"..\a"#))),
      ("is encrypted", ZipBytes(.init(name: "a", flags: 1))),
      ("is compressed (method 8)", ZipBytes(.init(name: "a", method: 8))),
      ("is compressed (method 14)", ZipBytes(.init(name: "a", method: 14))),
      ("declares 9 bytes but stores 3", ZipBytes(.init(name: "a", size: 9))),
      ("reaches beyond the data", ZipBytes(.init(name: "a", size: 1_000, packed: 1_000))),
      ("has another name in its header", ZipBytes(.init(name: "a", headerName: "b"))),
      ("the header of member 'a' is damaged", ZipBytes(.init(name: "a", headerOffset: 1))),
      ("the header of member 'a' is damaged", ZipBytes(.init(name: "a", headerMethod: 8))),
      ("it ends too early", ZipBytes(.init(name: "a", headerOffset: 0xffff_fff0))),
    ])
  func refusals(detail: String, zip: ZipBytes) {
    let failure = #expect(throws: ZipArchive.Failure.self) { _ = try members(zip.bytes) }
    #expect(failure?.detail.contains(detail) == true, "\(failure?.detail ?? "")")
  }

  @Test("members that share bytes are refused")
  func overlap() {
    let inner = ZipBytes(.init(name: "b", data: [7, 8, 9])).bytes
    // The header of 'b' lies inside the data of 'a'; 31 bytes of header come before 'a''s data.
    var zip = ZipBytes(
      .init(name: "a", data: Array(inner.prefix(34))), .init(name: "b", headerOffset: 31))
    zip.members[1].data = [7, 8, 9]
    let failure = #expect(throws: ZipArchive.Failure.self) { _ = try members(zip.bytes) }
    #expect(failure?.detail == "its members overlap")
  }

  @Test("a directory that lies about itself is refused")
  func directories() {
    let changes: [(String, (inout ZipBytes) -> Void)] = [
      ("ZIP64", { $0.count = 0xffff }), ("ZIP64", { $0.directoryStart = 0xffff_ffff }),
      ("one part of several", { $0.disk = 1 }),
      ("outside the file", { $0.directorySize = 0x7fff_ffff }),
      ("outside the file", { $0.count = ZipArchive.memberLimit + 1 }),
      ("directory is damaged", { $0.count = 4 }),
      ("directory is damaged", { $0.directoryStart = 3 }),
      ("truncated", { $0.declaredComment = 5 }),
    ]
    for (detail, change) in changes {
      var zip = Self.sound
      change(&zip)
      let failure = #expect(throws: ZipArchive.Failure.self) { _ = try members(zip.bytes) }
      #expect(failure?.detail.contains(detail) == true, "\(detail): \(failure?.detail ?? "")")
    }
  }

  @Test("an empty file has no directory", arguments: [[], [0x50, 0x4b, 0x05, 0x06]] as [[UInt8]])
  func empty(bytes: [UInt8]) {
    #expect(throws: ZipArchive.Failure.self) { _ = try members(bytes + [0]) }
  }
}
