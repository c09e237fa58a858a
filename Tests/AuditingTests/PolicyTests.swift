import AuditModel
import Auditing
import Foundation
import Reports
import Settings
import Testing

@Suite("Policy")
struct PolicyTests {
  private func finding(
    _ id: String, _ layer: String? = "fc1", artifact: String = "models/m.h5",
    severity: Severity = .high, evidence: Evidence = .structural, message: String = "It leaks."
  ) -> Finding {
    Finding(
      id: id, severity: severity, evidence: evidence, artifact: artifact, layer: layer,
      message: message, remedy: "Fix it.")
  }

  private func suppression(
    _ rule: String, path: String? = nil, layer: String? = nil, expires: String = "2027-03-31"
  ) throws -> Suppression {
    Suppression(
      rule: rule, path: path.map { Glob($0) }, layer: layer.map { Glob($0) }, reason: "reviewed",
      expires: try #require(CalendarDate(expires)), file: ".leakaudit.yml", line: 4)
  }

  @Test("a suppression covers its rule, its files and its layers and nothing else")
  func coverage() throws {
    var policy = AuditPolicy()
    policy.suppressions = [try suppression("a", path: "models/*", layer: "fc*")]
    let findings = [
      finding("a"), finding("b"), finding("a", "conv1"), finding("a", nil),
      finding("a", artifact: "other/m.h5"),
    ]
    let (counting, summary) = policy.applied(to: findings, failOn: .high)
    #expect(summary.suppressed.map(\.finding.id) == ["a"])
    #expect(summary.suppressed.first?.reason == "reviewed" && summary.notices.isEmpty)
    #expect(counting.count == 4)
  }

  @Test(
    "a suppression holds through its last day and fires again on the next",
    arguments: [("2027-03-30", true), ("2027-03-31", true), ("2027-04-01", false)])
  func expiry(today: String, holds: Bool) throws {
    var policy = AuditPolicy()
    policy.suppressions = [try suppression("a", path: "**")]
    policy.today = CalendarDate(today)
    let (counting, summary) = policy.applied(to: [finding("a")], failOn: .high)
    #expect(counting.isEmpty == holds && summary.suppressed.isEmpty == !holds)
    #expect(summary.notices.map(\.kind) == (holds ? [] : [.expired]))
    #expect(!holds || summary.suppressed[0].expires == CalendarDate("2027-03-31"))
    #expect(holds || summary.notices[0].text.contains("1 finding that it covers counts again"))
  }

  @Test("a suppression that covers nothing is named")
  func unused() throws {
    var policy = AuditPolicy()
    policy.suppressions = [try suppression("a", path: "no/such/*")]
    #expect(
      policy.applied(to: [finding("a")], failOn: .high).summary.notices.map(\.kind) == [.unused])
  }

  @Test("a baseline accepts as many findings as it lists, whatever their messages say now")
  func baseline() throws {
    let old = [finding("a", message: "1 % \u{202E}\"\\"), finding("a"), finding("b", nil)]
    var policy = AuditPolicy()
    policy.baseline = try Baseline(BaselineDocument.text(old), file: "b.json")
    let new = [finding("a", message: "2 %"), finding("a"), finding("a"), finding("b", nil)]
    let (counting, summary) = policy.applied(to: new, failOn: .high)
    #expect(counting.map(\.id) == ["a"] && summary.count(.baseline) == 3 && summary.resolved == 0)
    let fewer = policy.applied(to: [finding("a")], failOn: .high).summary
    #expect(fewer.count(.baseline) == 1 && fewer.resolved == 2)
  }

  @Test("a finding that got worse, moved or rests on more is new")
  func worse() throws {
    var policy = AuditPolicy()
    policy.baseline = try Baseline(BaselineDocument.text([finding("a")]), file: "b.json")
    for changed in [
      finding("a", severity: .critical), finding("a", evidence: .proven), finding("a", "fc2"),
      finding("a", nil), finding("a", artifact: "m.h5"), finding("b"),
    ] {
      #expect(policy.applied(to: [changed], failOn: .high).counting.count == 1)
    }
    // What the data are declared as is no part of a finding.
    policy.sensitivity = .public
    #expect(policy.applied(to: [finding("a")], failOn: .high).counting.isEmpty)
  }

  @Test(
    "what is no baseline is refused",
    arguments: [
      "", "{}", "[]", "no", "{\"leakauditBaseline\": 2, \"findings\": []}",
      "{\"leakauditBaseline\": 1}", "{\"leakauditBaseline\": 1, \"findings\": [{\"rule\": \"a\"}]}",
    ])
  func noBaseline(text: String) {
    #expect(throws: SettingsError.self) { try Baseline(text, file: "b.json") }
  }

  @Test("fingerprints differ between findings, repeat between runs, and know no message")
  func fingerprints() {
    let findings = [
      finding("a"), finding("a"), finding("b"), finding("a", nil), finding("a", ""),
      finding("a", "fc1", artifact: "m.h5"), finding("ab", "c"), finding("a", "bc"),
    ]
    let policy = AuditPolicy()
    let prints = policy.applied(to: findings, failOn: nil).counting.map(\.fingerprint)
    #expect(Set(prints).count == findings.count)
    #expect(prints.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{64}/) != nil })
    let again = policy.applied(to: findings.reversed(), failOn: .low).counting.map(\.fingerprint)
    #expect(Set(again) == Set(prints))
    let reworded = policy.applied(to: [finding("b", message: "0.31")], failOn: nil).counting
    #expect(prints.contains(reworded[0].fingerprint))
  }

  @Test("severities are rated for the declared sensitivity before they count")
  func sensitivity() {
    var policy = AuditPolicy()
    policy.sensitivity = .internal
    let (counting, summary) = policy.applied(to: [finding("a")], failOn: .high)
    #expect(counting.map(\.severity) == [.medium] && summary.sensitivity == .internal)
  }
}
