import Foundation
import Testing

@Suite("Reports and messages")
struct OutputTests {
  @Test("standard output holds the report and nothing else")
  func standardOutput() throws {
    let markdown = try Tool.run(Example.gradient)
    #expect(markdown.text.hasPrefix("# Leakage report\n"))
    #expect(!markdown.text.contains("leakaudit verdict:"))
    #expect(markdown.errorText.hasPrefix("leakaudit verdict: One input was recovered"))
    #expect(markdown.errorText.split(separator: "\n").count == 1)
    let json = try Tool.run(Example.gradient + ["--format", "json"])
    #expect(try !JSONReport(json.output).verdict.isEmpty)
  }

  @Test("files get the same bytes as standard output, which then stays empty")
  func files() throws {
    try Tool.withDirectory { folder in
      let (md, json) = (folder.appending(path: "r.md"), folder.appending(path: "r.json"))
      let arguments = ["audit", "Models/mlp.h5"]
      let both = try Tool.run(
        arguments + ["--format", "md=\(md.path)", "--format", "json=\(json.path)"])
      #expect(both.output.isEmpty && both.code == 1)
      for (name, file) in [("md", md), ("json", json)] {
        // Where a report goes is no part of the command it states.
        let direct = try Tool.run(arguments + ["--format", name]).output
        #expect(try Data(contentsOf: file) == direct)
      }
    }
  }

  @Test("one format may go to standard output beside another in a file")
  func mixed() throws {
    try Tool.withDirectory { folder in
      let file = folder.appending(path: "r.json")
      let outcome = try Tool.run(
        Example.clean + ["--format", "md", "--format", "json=\(file.path)"])
      #expect(outcome.text.hasPrefix("# Leakage report\n"))
      #expect(try JSONReport(Data(contentsOf: file)).exitCode == 0)
    }
  }

  @Test(
    "equal inputs give equal bytes, here and in another directory",
    arguments: [
      Example.gradient, Example.update, Example.optimizer, Example.control, Example.convolutions,
    ],
    ["github", "json", "junit", "md", "sarif", "summary", "svg", "text"])
  func determinism(arguments: [String], format: String) throws {
    let arguments = arguments + ["--format", format]
    let first = try Tool.run(arguments)
    #expect(try Tool.run(arguments).output == first.output)
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      // Neither the directory nor the number of jobs is part of a report.
      let elsewhere = try Tool.run(arguments + ["--jobs", "5"], in: folder)
      #expect(elsewhere.output == first.output && elsewhere.error == first.error)
    }
  }

  @Test(
    "no report shows an absolute path",
    arguments: ["github", "json", "junit", "md", "sarif", "summary", "svg", "text"])
  func absolutePaths(format: String) throws {
    let models = Tool.root.appending(path: "Models").path
    try Tool.withDirectory { folder in
      let outcome = try Tool.run(
        [
          "audit", models + "/mlp.h5", "--gradient", models + "/mlp_gradient.h5", "--truth",
          models + "/mlp_truth.h5", "--save-recovered", folder.path, "--format", format,
        ])
      #expect(outcome.code == 1)
      #expect(!outcome.text.contains(models) && !outcome.text.contains(folder.path))
      #expect(outcome.text.contains("mlp_gradient.h5"))
    }
  }

  @Test("recovered samples are written only if somebody asks for them")
  func saveRecovered() throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let before = try Tool.contents(of: folder)
      #expect(try Tool.run(Example.gradient, in: folder).code == 1)
      #expect(try Tool.contents(of: folder) == before)
      let saved = try Tool.run(Example.gradient + ["--save-recovered", "out"], in: folder)
      #expect(saved.code == 1)
      let out = folder.appending(path: "out")
      #expect(try Tool.contents(of: out) == ["recovered.h5", "sample_0.png"])
      let hdf5 = try Data(contentsOf: out.appending(path: "recovered.h5"))
      #expect(hdf5.starts(with: [0x89, 0x48, 0x44, 0x46]))
      let png = try Data(contentsOf: out.appending(path: "sample_0.png"))
      #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    }
  }

  @Test("a place that takes no recovered samples ends with 4")
  func unwritableRecovered() throws {
    let outcome = try Tool.run(Example.gradient + ["--save-recovered", "/dev/null/out"])
    #expect(outcome.code == 4 && outcome.output.isEmpty && !outcome.error.isEmpty)
  }

  @Test("--quiet leaves errors and nothing else")
  func quiet() throws {
    let loud = try Tool.run(Example.gradient)
    let quiet = try Tool.run(Example.gradient + ["--quiet"])
    #expect(quiet.error.isEmpty && !loud.error.isEmpty && quiet.code == loud.code)
    let missing = try Tool.run(["audit", "no/such/file.h5", "--quiet"])
    #expect(missing.errorText.hasPrefix("leakaudit error: no/such/file.h5: no such file"))
  }
}
