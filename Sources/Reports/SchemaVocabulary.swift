/// The few words of JSON Schema that the report's schema needs.
extension JSONReportSchema {
  /// An object that has exactly `properties`, all of them required.
  static func record(_ description: String, _ properties: [String: JSONValue]) -> JSONValue {
    .object([
      "type": .string("object"),
      "description": .string(description),
      "properties": .object(properties),
      "required": JSONValue(properties.keys.sorted()),
      "additionalProperties": .bool(false),
    ])
  }

  static func string(_ description: String) -> JSONValue { typed("string", description) }

  static func number(_ description: String) -> JSONValue { typed("number", description) }

  static func flag(_ description: String) -> JSONValue { typed("boolean", description) }

  static func integer(_ description: String, minimum: Int) -> JSONValue {
    .object([
      "type": .string("integer"),
      "minimum": .integer(minimum),
      "description": .string(description),
    ])
  }

  static func list(_ items: JSONValue, _ description: String) -> JSONValue {
    .object([
      "type": .string("array"),
      "items": items,
      "description": .string(description),
    ])
  }

  /// `value` or `null`; the key itself is still required.
  static func optional(_ value: JSONValue) -> JSONValue {
    .object(["anyOf": .array([value, .object(["type": .string("null")])])])
  }

  /// One of the words of an enumeration.
  static func words<Words: CaseIterable & RawRepresentable>(
    _ words: Words.Type, _ description: String
  ) -> JSONValue where Words.RawValue == String {
    .object([
      "enum": JSONValue(words.allCases.map(\.rawValue)),
      "description": .string(description),
    ])
  }

  private static func typed(_ type: String, _ description: String) -> JSONValue {
    .object(["type": .string(type), "description": .string(description)])
  }
}
