import Foundation
import Testing

/// Accepted findings, as a build uses them.
@Suite("Baselines")
struct BaselineTests {
  @Test("with a baseline only what is new counts")
  func baseline() throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let written = try Tool.run(["baseline", "Models/mlp.h5"], in: folder)
      #expect(written.code == 0 && written.output.isEmpty)
      #expect(written.errorText.contains("accepted in .leakaudit-baseline.json"))
      let baseline = ["--baseline", ".leakaudit-baseline.json", "--format", "text"]
      let same = try Tool.run(["audit", "Models/mlp.h5"] + baseline, in: folder)
      #expect(same.code == 0 && same.text.split(separator: "\n").count == 1)
      #expect(same.text.contains("unchanged since the baseline."))
      // The gradient proves what was only possible before.
      let more = try Tool.run(Example.gradient + baseline, in: folder)
      #expect(more.code == 1 && more.text.contains("[dense-input-inversion, proven"))
      #expect(!more.text.contains("[input-facing-biased-dense"))
    }
  }

  @Test("a baseline is the same bytes each time, and SARIF tells new from unchanged")
  func baselineState() throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let first = try Tool.run(["baseline", "Models/mlp.h5", "-o", "-", "--quiet"], in: folder)
      #expect(first.error.isEmpty && first.code == 0)
      let again = try Tool.run(["baseline", "Models/mlp.h5", "-o", "-"], in: folder)
      #expect(again.output == first.output)
      try first.output.write(to: folder.appending(path: "b.json"))
      let log = try Tool.run(
        Example.gradient + ["--baseline", "b.json", "--format", "sarif"], in: folder)
      #expect(log.text.contains("\"baselineState\": \"unchanged\""))
      #expect(log.text.contains("\"baselineState\": \"new\""))
    }
  }

  @Test("a baseline of an input that cannot be read ends with 2")
  func incompleteBaseline() throws {
    let outcome = try Tool.run(["baseline", Tool.hostile("archives_cut_half.keras"), "-o", "-"])
    #expect(outcome.code == 2 && outcome.text.contains("\"findings\": []"))
  }
}
