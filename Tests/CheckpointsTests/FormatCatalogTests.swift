import Checkpoints
import Foundation
import Testing

@Suite("Format catalogue")
struct FormatCatalogTests {
  @Test("every file in Formats/ is registered")
  func everyFileIsRegistered() throws {
    let files = try FileManager.default
      .contentsOfDirectory(atPath: Place.sources.appending(path: "Formats").path)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(".swift".count)) }
    #expect(files.sorted() == FormatCatalog.all.map { String(describing: $0) }.sorted())
  }

  @Test("names are kebab-case and unique")
  func names() {
    let names = FormatCatalog.all.map { $0.name }
    #expect(Set(names).count == names.count)
    for name in names {
      #expect(name.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(name)")
    }
  }

  @Test("the layout that takes everything stands last")
  func theLastTakesEverything() {
    let nothing = ParsedFile(path: "x.h5", role: .model, container: Container())
    #expect(
      FormatCatalog.all.map { $0.init().recognises(nothing) } == [false, false, false, false, true])
  }

  @Test(
    "content decides on the layout",
    arguments: [
      (["leakaudit_layout": Container.Attribute.numbers([1], isScalar: true)], [""], "leakaudit"),
      (["model_config": .text(["{}"], isScalar: true)], [""], "legacy"),
      (["layer_names": .text(["a"], isScalar: false)], [""], "legacy"),
      ([:], ["", "layers/dense/vars"], "weights"),
      ([:], ["", "optimizer/vars"], "dump"),
      ([:], ["", "state_dict"], "dump"),
    ] as [([String: Container.Attribute], [String], String)])
  func recognition(attributes: [String: Container.Attribute], groups: [String], part: String) throws
  {
    let file = ParsedFile(
      path: "x", role: .model,
      container: Container(groups: Set(groups), attributes: ["": attributes]))
    let first = try #require(FormatCatalog.all.first { $0.init().recognises(file) })
    #expect(first.name.contains(part))
  }

  @Test("a file without weights is an error that says what is inside")
  func nothingInside() {
    let empty = ParsedFile(path: "x.h5", role: .model, container: Container())
    let error = #expect(throws: CheckpointError.self) { _ = try FormatCatalog.read(empty) }
    #expect(error?.reason == .nothingInside(detail: "no dataset holds weights or gradients"))
    let refused = Container(datasets: ["w": .refused(shape: [2], reason: "it holds references")])
    let other = #expect(throws: CheckpointError.self) {
      _ = try FormatCatalog.read(ParsedFile(path: "x", role: .model, container: refused))
    }
    #expect(other?.description.contains("'w' was not read: it holds references") == true)
  }

  @Test(
    "a declared layout that cannot be followed is an error, not a guess",
    arguments: [
      (["leakaudit_layout": Container.Attribute.numbers([2], isScalar: true)], "is not 1"),
      (["leakaudit_layout": .numbers([1], isScalar: true)], "'convention' is missing"),
      (
        [
          "leakaudit_layout": .numbers([1], isScalar: true),
          "convention": .text(["rows"], isScalar: true),
        ], "'convention' is rows"
      ),
      (
        [
          "leakaudit_layout": .numbers([1], isScalar: true),
          "convention": .text(["channels_last"], isScalar: true),
        ], "nothing is in it"
      ),
      (
        [
          "leakaudit_layout": .numbers([1], isScalar: true),
          "convention": .text(["channels_first"], isScalar: true),
          "architecture": .numbers([1], isScalar: true),
        ], "'architecture' is not text"
      ),
      (["model_config": .numbers([1], isScalar: true)], "'model_config' is not text"),
      (["layer_names": .text([], isScalar: false)], "no layer has weights"),
    ] as [([String: Container.Attribute], String)])
  func contradictions(attributes: [String: Container.Attribute], part: String) {
    let file = ParsedFile(
      path: "x.h5", role: .model, container: Container(attributes: ["": attributes]))
    let error = #expect(throws: CheckpointError.self) { _ = try FormatCatalog.read(file) }
    #expect(error?.description.contains(part) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("what layer_names and weight_names promise and the file does not hold is listed")
  func brokenPromises() throws {
    let container = Container(
      groups: ["", "a", "b"],
      datasets: [
        "a/a/kernel": .numbers(tensor(3, 2), isInteger: false), "a/a/text": .text(["x"]),
        "a/a/odd": .refused(shape: [1], reason: "it holds references"),
      ],
      attributes: [
        "": ["layer_names": .text(["a", "b", "c"], isScalar: false)],
        "a": [
          "weight_names0": .text(["a/kernel", "a/text"], isScalar: false),
          "weight_names1": .text(["a/odd", "a/none"], isScalar: false),
        ],
        "b": ["weight_names": .numbers([1], isScalar: true)],
      ])
    let contents = try FormatCatalog.read(
      ParsedFile(path: "m.h5", role: .model, container: container))
    #expect(contents.parameters.map(\.text) == ["a weight 3×2"])
    #expect(contents.omissions.map(\.path) == ["a/a/text", "a/a/odd", "a/a/none", "b", "c"])
    #expect(contents.omissions.allSatisfy { !$0.reason.isEmpty })
  }
}
