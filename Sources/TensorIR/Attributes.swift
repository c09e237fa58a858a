/// One attribute of a primitive.
public enum Attribute: Hashable, Sendable {
  case integers([Int])
  case word(String)
  case number(Double)
}

/// The attributes of a primitive by name, in the order they are written.
public struct Attributes: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var entries: [Entry]

  public struct Entry: Hashable, Sendable {
    public var name: String
    public var value: Attribute

    public init(name: String, value: Attribute) {
      self.name = name
      self.value = value
    }
  }

  public init(_ entries: [Entry]) { self.entries = entries }

  public init(dictionaryLiteral elements: (String, Attribute)...) {
    entries = elements.map { Entry(name: $0, value: $1) }
  }

  public var isEmpty: Bool { entries.isEmpty }

  private func value(_ name: String) -> Attribute? {
    entries.first { $0.name == name }?.value
  }

  /// - Throws: ``AttributeMismatch`` unless `name` is a list of whole numbers.
  public func integers(_ name: String) throws(AttributeMismatch) -> [Int] {
    guard case .integers(let numbers) = value(name) else {
      throw AttributeMismatch(name: name, expectation: "a list of whole numbers")
    }
    return numbers
  }

  /// - Throws: ``AttributeMismatch`` unless `name` is one whole number.
  public func integer(_ name: String) throws(AttributeMismatch) -> Int {
    let numbers = try integers(name)
    guard numbers.count == 1 else {
      throw AttributeMismatch(name: name, expectation: "one whole number")
    }
    return numbers[0]
  }

  /// - Throws: ``AttributeMismatch`` unless `name` is one of the words of `Words`.
  public func word<Words: RawRepresentable & CaseIterable>(
    _ name: String, as: Words.Type
  ) throws(AttributeMismatch) -> Words where Words.RawValue == String {
    guard case .word(let text) = value(name), let word = Words(rawValue: text) else {
      let allowed = Words.allCases.map(\.rawValue).joined(separator: ", ")
      throw AttributeMismatch(name: name, expectation: "one of \(allowed)")
    }
    return word
  }
}

/// An attribute that is missing or of another kind.
public struct AttributeMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: String
  public let expectation: String

  public var description: String { "attribute '\(name)' must be \(expectation)" }
}
