import Foundation
import TensorIR
import Testing

@Suite("Primitive catalogue")
struct PrimitiveCatalogTests {
  @Test("every file in Primitives/ is registered, in order")
  func everyFileIsRegistered() throws {
    let folder = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/TensorIR/Primitives")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(".swift".count)) }
    #expect(files.sorted() == PrimitiveCatalog.all.map { String(describing: $0) })
  }

  @Test("mnemonics are snake_case and unique")
  func mnemonics() {
    let mnemonics = PrimitiveCatalog.all.map { $0.mnemonic }
    #expect(Set(mnemonics).count == mnemonics.count)
    for mnemonic in mnemonics {
      #expect(mnemonic.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(mnemonic)")
    }
  }

  @Test("attributes make the primitive that wrote them", arguments: PrimitiveCase.all)
  func attributes(_ subject: PrimitiveCase) throws {
    #expect(try isRebuilt(subject.primitive))
  }

  @Test("a missing or misshapen attribute is named", arguments: PrimitiveCase.all)
  func mismatches(_ subject: PrimitiveCase) {
    let primitive = subject.primitive
    for entry in primitive.attributes.entries {
      let others = primitive.attributes.entries.filter { $0.name != entry.name }
      for lacking in [others, others + [.init(name: entry.name, value: .number(0.5))]] {
        let error = #expect(throws: AttributeMismatch.self) {
          try type(of: primitive).init(Attributes(lacking))
        }
        #expect(error?.name == entry.name)
      }
    }
  }

  private func isRebuilt<Kind: Primitive>(_ primitive: Kind) throws -> Bool {
    try Kind(primitive.attributes) == primitive
  }
}
