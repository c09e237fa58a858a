import Attacks
import AuditModel
import Foundation
import Testing

@Suite("Attack and pre-flight catalogues")
struct CatalogTests {
  @Test("every file in Analytic/ and Preflight/ is registered")
  func everyFileIsRegistered() throws {
    #expect(try files("Analytic") == AttackCatalog.all.map { String(describing: $0) }.sorted())
    #expect(try files("Preflight") == PreflightCatalog.all.map { String(describing: $0) }.sorted())
  }

  @Test("an attack is found under its identifier and no other")
  func lookUp() {
    let identifiers = AttackCatalog.all.map { $0.metadata.identifier }
    #expect(Set(identifiers).count == identifiers.count)
    for attack in AttackCatalog.all {
      let found = AttackCatalog.attack(identifiedBy: attack.metadata.identifier)
      #expect(found.map { ObjectIdentifier($0) } == ObjectIdentifier(attack))
    }
    #expect(AttackCatalog.attack(identifiedBy: "no-such-attack") == nil)
    #expect(AttackCatalog.metadata(identifiedBy: "no-such-attack") == nil)
    #expect(Set(AttackCatalog.identifiers) == Set(identifiers + ["cascade", "gradient-matching"]))
  }

  @Test("an attack explains itself", arguments: AttackCatalog.identifiers)
  func metadata(identifier: String) throws {
    let metadata = try #require(AttackCatalog.metadata(identifiedBy: identifier))
    #expect(identifier.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil)
    #expect(!metadata.title.isEmpty && !metadata.formula.isEmpty)
    #expect(metadata.claim.hasSuffix(".") && metadata.remedy.hasSuffix("."))
    #expect(metadata.remedyEffect.hasSuffix("."))
    #expect(!metadata.conditions.isEmpty && metadata.conditions.allSatisfy { $0.hasSuffix(".") })
    #expect(!metadata.sources.isEmpty)
    for source in metadata.sources {
      #expect(!source.authors.isEmpty && !source.title.isEmpty)
      #expect(!source.venue.isEmpty && !source.locator.isEmpty)
    }
  }

  @Test(
    "numbers are shown with three digits",
    arguments: [
      (0, "0"), (1, "1"), (-0.5, "−0.5"), (1.23e-7, "1.23e-7"), (9.999, "10"), (1234, "1230"),
      (12345, "12300"), (1e-26, "1e-26"), (-4.56e12, "−4.56e12"), (.nan, "not a number"),
      (-.infinity, "−∞"), (.infinity, "∞"), (0.00123, "0.00123"),
    ] as [(Double, String)])
  func displayed(value: Double, text: String) { #expect(value.displayed == text) }

  private func files(_ folder: String) throws -> [String] {
    let url = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Attacks").appending(path: folder)
    return try FileManager.default.contentsOfDirectory(atPath: url.path)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(".swift".count)) }.sorted()
  }
}
