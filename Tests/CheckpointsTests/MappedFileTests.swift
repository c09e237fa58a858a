import Checkpoints
import Foundation
import Testing

@Suite("Mapped files")
struct MappedFileTests {
  private func failure(_ path: String) -> CheckpointError.Reason? {
    #expect(throws: CheckpointError.self) { _ = try MappedFile(path: path) }?.reason
  }

  @Test("what is no regular file with content is refused at once")
  func refusals() throws {
    let scratch = try Place.Scratch()
    #expect(failure(scratch.path + "/none") == .missing)
    #expect(failure(scratch.path + "/none/none") == .missing)
    #expect(failure(scratch.path) == .notRegular(kind: "a directory"))
    #expect(failure(try scratch.file("empty", [])) == .empty)
    #expect(failure("/dev/null") == .notRegular(kind: "a device"))
    let pipe = scratch.path + "/pipe"
    // Safe: the path outlives the call.
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    // Opening a pipe without a writer would wait for one.
    #expect(failure(pipe) == .notRegular(kind: "a pipe"))
    let file = try scratch.file("file", [1])
    #expect(failure(file + "/inside") == .unopenable(detail: "Not a directory"))
  }

  @Test("a file that may not be read says so", .enabled(if: getuid() != 0))
  func unreadable() throws {
    let scratch = try Place.Scratch()
    let path = try scratch.file("secret", [1])
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    #expect(failure(path) == .unopenable(detail: "Permission denied"))
  }

  @Test("a symbolic link that the user named is followed")
  func symbolicLink() throws {
    let scratch = try Place.Scratch()
    let target = try scratch.file("target", [1, 2])
    let link = scratch.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    #expect(try MappedFile(path: link).count == 2)
  }

  @Test("a copy never leaves the file")
  func copies() throws {
    let scratch = try Place.Scratch()
    let file = try MappedFile(path: scratch.file("f", Array(0..<10)))
    #expect(file.count == 10 && file.copy(2..<5) == [2, 3, 4])
    #expect(file.copy(0..<10)?.count == 10 && file.copy(10..<10) == [])
    #expect(file.copy(0..<11) == nil && file.copy(-1..<3) == nil && file.copy(11..<11) == nil)
  }

  @Test("bytes are the same after their memory was given back")
  func releasedMemory() throws {
    let scratch = try Place.Scratch()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let file = try MappedFile(path: scratch.file("f", bytes))
    #expect(file.copy(0..<bytes.count) == bytes)
    file.releaseMemory()
    #expect(file.copy(0..<bytes.count) == bytes)
  }

  // Source: FIPS 180-2, appendix B, and the NIST example of one million times "a".
  @Test(
    "digests equal the published ones",
    arguments: [
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func digests(text: String, count: Int, digest: String) throws {
    let scratch = try Place.Scratch()
    let bytes = Array(String(repeating: text, count: count).utf8)
    #expect(try MappedFile(path: scratch.file("f", bytes)).sha256() == digest)
  }

  @Test(
    "a file that starts like nothing known shows its first bytes",
    arguments: [
      ([0x4d, 0x5a, 0x00, 0x0a, 1], "4d 5a 00 0a"), ([0x89], "89"), ([0x50, 0x4b], "50 4b"),
    ] as [([UInt8], String)])
  func signatures(bytes: [UInt8], shown: String) throws {
    let scratch = try Place.Scratch()
    let path = try scratch.file("m.h5", bytes)
    #expect(CheckpointReader.looksReadable(try MappedFile(path: path)) == false)
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointReader(sandbox: SandboxedReader()).read(path, as: .model)
    }
    #expect(error?.reason == .unrecognised(signature: shown))
  }
}
