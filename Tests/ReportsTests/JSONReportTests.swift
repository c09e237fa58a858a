import AuditModel
import Foundation
import Reports
import Testing

@Suite("JSON report")
struct JSONReportTests {
  @Test("a report satisfies the published schema", arguments: ["full", "empty", "wide"])
  func schema(subject: String) throws {
    let report = try #require(GoldenFileTests.reports[subject])
    let schema = try parsed(JSONReportSchema.text)
    let problems = SchemaCheck.problems(try parsed(JSONReport().render(report)), schema, at: "$")
    #expect(problems == [])
  }

  @Test(
    "the schema refuses a missing key, an unknown key, an unknown word and a wrong type",
    arguments: [
      ("\"verdict\"", "\"verdikt\""), ("\"critical\"", "\"terrible\""),
      ("\"exitCode\": 1", "\"exitCode\": \"1\""), ("\"exact\": false", "\"exact\": null"),
    ])
  func schemaRefuses(part: String, replacement: String) throws {
    let text = JSONReport().render(Fixture.full)
    #expect(text.contains(part))
    let broken = try parsed(text.replacingOccurrences(of: part, with: replacement))
    #expect(SchemaCheck.problems(broken, try parsed(JSONReportSchema.text), at: "$") != [])
  }

  @Test("absent values are null, and so are numbers that JSON cannot express")
  func nulls() throws {
    let empty = JSONReport().render(Fixture.empty)
    #expect(empty.contains("\"labels\": null"))
    let full = JSONReport().render(Fixture.full)
    for line in ["\"certificate\": null", "\"predictedError\": null", "\"sha256\": null"] {
      #expect(full.contains(line), "\(line)")
    }
    #expect(full.contains("\"formula\": null") && full.contains("\"quality\": null"))
  }

  @Test("a hostile string reads back unchanged and is plain to print")
  func strings() throws {
    let text = "\"\\/\u{0}\u{1B}[2J\r\n\u{202E}\u{E0041}\u{200B}\u{85}##[error]é😀"
    var report = Fixture.empty
    report.verdict = text
    let rendered = JSONReport().render(report)
    let document = try #require(try parsed(rendered) as? [String: Any])
    #expect(document["verdict"] as? String == text)
    #expect(rendered.contains("\\u202E") && rendered.contains("\\uDB40\\uDC41"))
    #expect(rendered.contains("é😀") && rendered.contains("\\\\/"))
    #expect(!rendered.contains("##["))
    let isPlain = rendered.unicodeScalars.allSatisfy {
      $0 == "\n" || $0.value >= 0x20 && ![0x7F, 0x85, 0x202E, 0xE0041, 0x200B].contains($0.value)
    }
    #expect(isPlain)
  }

  @Test("equal reports give equal bytes, whatever order their findings were set in")
  func determinism() {
    var report = Fixture.full
    report.findings.reverse()
    #expect(JSONReport().render(report) == JSONReport().render(Fixture.full))
  }

  private func parsed(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8))
  }
}

/// The part of JSON Schema that the report's schema uses.
private enum SchemaCheck {
  static func problems(_ value: Any, _ schema: Any, at path: String) -> [String] {
    guard let schema = schema as? [String: Any] else { return ["\(path): no schema"] }
    if let choices = schema["anyOf"] as? [Any] {
      let all = choices.map { problems(value, $0, at: path) }
      return all.contains([]) ? [] : ["\(path): no alternative fits"] + all.flatMap { $0 }
    }
    if let words = schema["enum"] as? [String] {
      return words.contains(value as? String ?? "") ? [] : ["\(path): unknown word \(value)"]
    }
    if let constant = schema["const"] as? String {
      return value as? String == constant ? [] : ["\(path): not \(constant)"]
    }
    switch schema["type"] as? String {
    case "object": return members(value, schema, at: path)
    case "array":
      guard let elements = value as? [Any] else { return ["\(path): not an array"] }
      return elements.enumerated().flatMap {
        problems($1, schema["items"] ?? [String: Any](), at: "\(path)[\($0)]")
      }
    case "string": return value is String ? [] : ["\(path): not a string"]
    case "null": return value is NSNull ? [] : ["\(path): not null"]
    case "boolean": return isBoolean(value) ? [] : ["\(path): not a boolean"]
    case "integer", "number":
      return value is NSNumber && !isBoolean(value) ? [] : ["\(path): not a number"]
    default: return ["\(path): unknown type"]
    }
  }

  private static func members(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
    guard let object = value as? [String: Any],
      let properties = schema["properties"] as? [String: Any],
      let required = schema["required"] as? [String]
    else { return ["\(path): not an object"] }
    let missing = required.filter { object[$0] == nil }.map { "\(path): \($0) is missing" }
    return object.sorted { $0.key < $1.key }.reduce(into: missing) { found, member in
      guard let property = properties[member.key] else {
        found.append("\(path): \(member.key) is unknown")
        return
      }
      found += problems(member.value, property, at: "\(path).\(member.key)")
    }
  }

  private static func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return false }
    // Safe: the type code is a constant string, read while the number is alive.
    return unsafe String(cString: number.objCType) == "c"
  }
}
