import Foundation
import TensorIR
import Testing

/// What JAX computed for a primitive; written by `Tests/Fixtures/primitives/make_jax.py`.
struct ForeignCase: Decodable, Sendable, CustomTestStringConvertible {
  let mnemonic: String
  let attributes: [String: Setting]
  let operands: [Tensor]
  let result: Tensor

  var testDescription: String { "\(mnemonic) \(operands.map(\.type)) \(attributes)" }

  enum Setting: Decodable, Sendable {
    case integers([Int])
    case word(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let word = try? container.decode(String.self) {
        self = .word(word)
      } else {
        self = .integers(try container.decode([Int].self))
      }
    }

    var attribute: Attribute {
      switch self {
      case .integers(let numbers): .integers(numbers)
      case .word(let word): .word(word)
      }
    }
  }

  struct Tensor: Decodable, Sendable {
    let shape: [Int]
    let element: String
    let elements: [Element]

    var type: TensorType { TensorType(shape, ElementType(rawValue: element) ?? .real) }
    var numbers: [Double] { elements.map(\.number) }
  }

  /// A number; the ones that JSON has no spelling for are words.
  struct Element: Decodable, Sendable {
    let number: Double

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let word = try? container.decode(String.self) {
        guard let spelt = Double(word) else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: word)
        }
        number = spelt
      } else {
        number = try container.decode(Double.self)
      }
    }
  }

  static func load() throws -> [ForeignCase] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/primitives/primitives.json")
    return try JSONDecoder().decode([ForeignCase].self, from: Data(contentsOf: file))
  }
}

@Suite("Meaning of primitives")
struct PrimitiveMeaningTests {
  @Test("the fixture covers every primitive")
  func coverage() throws {
    let covered = Set(try ForeignCase.load().map(\.mnemonic))
    #expect(PrimitiveCatalog.all.map { $0.mnemonic }.filter { !covered.contains($0) }.isEmpty)
  }

  @Test("the reference agrees with JAX")
  func agreement() throws {
    for subject in try ForeignCase.load() {
      let kind = try #require(PrimitiveCatalog.all.first { $0.mnemonic == subject.mnemonic })
      let attributes = Attributes(
        subject.attributes.map { .init(name: $0, value: $1.attribute) })
      let primitive = try kind.init(attributes)
      let types = subject.operands.map(\.type)
      let type = try primitive.resultType(of: types)
      #expect(type == subject.result.type, "\(subject.testDescription)")
      let elements = primitive.reference(
        subject.operands.map(\.numbers), types: types, result: type)
      #expect(
        zip(elements, subject.result.numbers).allSatisfy { isClose($0, $1) }
          && elements.count == type.elementCount,
        "\(subject.testDescription): \(elements), JAX \(subject.result.numbers)")
    }
  }

  /// Sums of 60 terms differ by their order; XLA's own tanh, erf and logistic by a few units.
  private func isClose(_ ours: Double, _ theirs: Double) -> Bool {
    if ours.isNaN || theirs.isNaN { return ours.isNaN && theirs.isNaN }
    return ours == theirs || abs(ours - theirs) <= 1e-14 * max(1, abs(theirs))
  }
}
