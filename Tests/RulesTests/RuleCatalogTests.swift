import AuditModel
import Foundation
import Networks
import Rules
import Testing

@Suite("Rule catalogue")
struct RuleCatalogTests {
  @Test("every file in Catalog/ is registered")
  func everyFileIsRegistered() throws {
    let catalog = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Rules/Catalog")
    let files = try FileManager.default.contentsOfDirectory(atPath: catalog.path)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(".swift".count)) }
    #expect(files.sorted() == RuleCatalog.all.map { String(describing: $0) }.sorted())
  }

  @Test("identifiers are kebab-case, unique and sorted")
  func identifiers() {
    let identifiers = RuleCatalog.all.map { $0.metadata.identifier }
    #expect(identifiers == Set(identifiers).sorted())
    for identifier in identifiers {
      #expect(identifier.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(identifier)")
    }
  }

  @Test("a rule is found under its identifier and no other")
  func lookUp() {
    for rule in RuleCatalog.all {
      let found = RuleCatalog.rule(identifiedBy: rule.metadata.identifier)
      #expect(found.map { ObjectIdentifier($0) } == ObjectIdentifier(rule))
    }
    #expect(RuleCatalog.rule(identifiedBy: "no-such-rule") == nil)
  }

  @Test("a rule flags its failing examples at the named layer", arguments: ruleIdentifiers)
  func failingExamples(identifier: String) throws {
    let rule = try #require(RuleCatalog.rule(identifiedBy: identifier))
    for (subject, layer) in rule.metadata.examples.failing {
      let findings = rule.init().findings(in: subject)
      #expect(findings.map(\.layer) == [layer], "\(subject.artifact)")
      #expect(findings.map(\.artifact) == [subject.artifact])
    }
  }

  @Test("a rule stays silent on its passing examples", arguments: ruleIdentifiers)
  func passingExamples(identifier: String) throws {
    let rule = try #require(RuleCatalog.rule(identifiedBy: identifier))
    for subject in rule.metadata.examples.passing {
      #expect(rule.init().findings(in: subject).isEmpty, "\(subject.artifact)")
    }
  }

  @Test("a rule explains itself", arguments: ruleIdentifiers)
  func metadataIsComplete(identifier: String) throws {
    let metadata = try #require(RuleCatalog.rule(identifiedBy: identifier)).metadata
    #expect(!metadata.title.isEmpty && !metadata.rationale.isEmpty)
    #expect(!metadata.remedy.isEmpty && !metadata.remedyEffect.isEmpty)
    #expect(metadata.formula?.isEmpty != true)
    #expect(!metadata.sources.isEmpty)
    for source in metadata.sources {
      #expect(!source.authors.isEmpty && !source.title.isEmpty)
      #expect(!source.venue.isEmpty && !source.locator.isEmpty)
    }
    #expect(!metadata.examples.passing.isEmpty && !metadata.examples.failing.isEmpty)
  }

  @Test("a finding carries what a report needs", arguments: ruleIdentifiers)
  func findingsAreComplete(identifier: String) throws {
    let rule = try #require(RuleCatalog.rule(identifiedBy: identifier))
    for (subject, _) in rule.metadata.examples.failing {
      for finding in rule.init().findings(in: subject) {
        #expect(finding.id == identifier)
        #expect(finding.severity <= rule.metadata.severity)
        #expect(finding.message.wholeMatch(of: /\S.*\./) != nil, "\(finding.message)")
        #expect(!finding.message.contains("  "), "\(finding.message)")
        #expect(!finding.preconditions.isEmpty && !finding.remedy.isEmpty)
        #expect(finding.preconditions.allSatisfy { $0.hasSuffix(".") })
        #expect(finding.remedyEffect?.isEmpty == false)
        #expect(finding.citations == rule.metadata.sources)
      }
    }
  }

  @Test("the findings of the catalogue are those of its rules, in catalogue order")
  func allFindings() {
    let subject = Subject(
      "network", input: [784], ["a": Dense(outputs: 16), "b": Dense(outputs: 10)])
    #expect(
      RuleCatalog.findings(in: subject).map(\.id)
        == ["classifier-bias", "dense-only-path", "input-facing-biased-dense"])
  }
}

/// The arguments of the tests that speak of one rule.
private let ruleIdentifiers = RuleCatalog.all.map { $0.metadata.identifier }
