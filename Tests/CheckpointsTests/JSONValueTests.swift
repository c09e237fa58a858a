import Checkpoints
import Testing

@Suite("JSON of unknown origin")
struct JSONValueTests {
  @Test("nesting is parsed up to the limit and refused behind it", arguments: ["[", "{\"a\":"])
  func depth(opening: String) {
    func text(_ depth: Int) -> String {
      String(repeating: opening, count: depth) + "1"
        + String(repeating: opening == "[" ? "]" : "}", count: depth)
    }
    #expect(JSONValue(untrusted: text(JSONValue.depthLimit)) != nil)
    #expect(JSONValue(untrusted: text(JSONValue.depthLimit + 1)) == nil)
    #expect(JSONValue(untrusted: text(200_000)) == nil)
  }

  @Test("brackets inside strings do not count as nesting")
  func strings() {
    let brackets = String(repeating: "[", count: 10_000)
    #expect(JSONValue(untrusted: "\"\(brackets)\\\"\(brackets)\"")?.string?.count == 20_001)
  }

  @Test("what Python writes for NaN and infinity is accepted")
  func pythonNumbers() {
    let json = JSONValue(untrusted: "[NaN, Infinity, -Infinity, 1e3]")
    #expect(json?.array?[0].number?.isNaN == true)
    #expect(json?.array?[1].number == .infinity && json?.array?[2].number == -.infinity)
    #expect(json?.array?[0].integer == nil && json?.array?[1].integer == nil)
    #expect(json?.array?[3].integer == 1000)
  }

  @Test("of two members of one name one is taken, without a crash")
  func duplicates() {
    let value = JSONValue(untrusted: #"{"a": 1, "a": 2}"#)?["a"]?.integer
    #expect(value == 1 || value == 2)
  }

  @Test(
    "text that is not JSON is nil",
    arguments: ["", "{", "[1,", "\"open", "{\"a\"}", "\u{0}", "tru", "][", "{\"a\": }"])
  func garbage(text: String) { #expect(JSONValue(untrusted: text) == nil) }

  @Test("a value is only what it is")
  func kinds() throws {
    let json = try #require(
      JSONValue(
        untrusted:
          #"{"s": "x", "n": 1.5, "t": true, "z": null, "l": [1, 2], "i": 3, "m": [1, "a"]}"#))
    #expect(json["s"]?.string == "x" && json["s"]?.number == nil && json["s"]?["k"] == nil)
    #expect(json["n"]?.number == 1.5 && json["n"]?.integer == nil && json["n"]?.bool == nil)
    #expect(json["t"]?.bool == true && json["t"]?.number == nil)
    #expect(json["z"]?.isNull == true && json["s"]?.isNull == false)
    #expect(json["l"]?.integers == [1, 2] && json["i"]?.integers == [3])
    #expect(json["m"]?.integers == nil && json["s"]?.integers == nil)
    #expect(json.object?.count == 7 && json["l"]?.object == nil && json["missing"] == nil)
  }
}
