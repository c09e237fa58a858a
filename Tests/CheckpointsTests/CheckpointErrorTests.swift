import Checkpoints
import Foundation
import Testing

@Suite("Checkpoint errors")
struct CheckpointErrorTests {
  private static let reasons: [(CheckpointError.Reason, [String])] = [
    (.missing, ["no such file", "is needed", "Check the path"]),
    (.notRegular(kind: "a pipe"), ["a pipe", "only regular files", "Copy its content"]),
    (.unopenable(detail: "Permission denied"), ["Permission denied", "is needed", "permissions"]),
    (.empty, ["empty", "is needed", "Export it again"]),
    (.unrecognised(signature: "4d 5a"), ["4d 5a", "89 48 44 46", "Documentation/Exporting.md"]),
    (.damaged(detail: "no root"), ["no root", "is needed", "again"]),
    (
      .readerCrashed(detail: "signal 11"),
      ["signal 11", "nothing of it was used", "export it again"]
    ),
    (.readerTimedOut(seconds: 7), ["7 s", "nothing of it was used", "Export it again"]),
    (.overMemory(needed: 5 << 30, limit: 4 << 30), ["5.0 GiB", "4.0 GiB", "--max-memory"]),
    (.archive(detail: "truncated"), ["truncated", "is needed", "model.save()"]),
    (.architecture(detail: "no JSON"), ["no JSON", "`leakaudit schema`", "is needed", "Export"]),
    (
      .ambiguous(name: "fc", shape: [2, 3], candidates: ["'a'", "'b'"]),
      ["'fc'", "[2, 3]", "'a', 'b'", "is needed", "Rename it"]
    ),
    (
      .unmatched(name: "fc", shape: [2], nearest: "'fc1'"),
      ["'fc'", "[2]", "Did you mean 'fc1'?", "same model"]
    ),
    (.unmatched(name: "fc", shape: [2], nearest: nil), ["'fc'", "of the model. Check"]),
    (.nothingInside(detail: "no weights"), ["no weights", "are needed", "`leakaudit inspect`"]),
    (
      .severalSets(labels: ["a", "b", "c", "d", "e"]),
      ["5 sets", "(a, b, c, d)", "is needed", "--before and --after"]
    ),
  ]

  @Test("place, finding, need and advice stand in every description", arguments: reasons)
  func descriptions(reason: CheckpointError.Reason, parts: [String]) {
    let error = CheckpointError(reason, file: "dir/m.h5", object: "fc/kernel")
    #expect(error.description.hasPrefix("dir/m.h5:fc/kernel: "))
    #expect(error.description.hasSuffix("."), "\(error)")
    #expect(!error.description.contains("\n") && !error.description.contains("  "))
    var rest = error.explanation[...]
    for part in parts {
      guard let range = rest.range(of: part) else {
        Issue.record("'\(part)' is missing or out of order in: \(error)")
        return
      }
      rest = rest[range.upperBound...]
    }
    #expect(CheckpointError(reason, file: "m.h5").description == "m.h5: " + error.explanation)
  }

  @Test(
    "byte counts are in binary units",
    arguments: [
      (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (5 << 20, "5.0 MiB"),
      (3 << 40, "3.0 TiB"), (5_000 << 40, "5000.0 TiB"),
    ])
  func byteText(count: Int, text: String) { #expect(count.byteText == text) }
}
