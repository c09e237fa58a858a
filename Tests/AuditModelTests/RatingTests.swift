import AuditModel
import Testing

@Suite("Rating")
struct RatingTests {
  private func finding(
    _ severity: Severity, _ access: Access = .exchange, _ evidence: Evidence = .structural
  ) -> Finding {
    Finding(
      id: "rule", severity: severity, evidence: evidence, access: access, artifact: "m.h5",
      message: "It leaks.", remedy: "Fix it.")
  }

  @Test("personal data keep the stated severity", arguments: Severity.allCases)
  func personal(severity: Severity) {
    #expect(finding(severity).rated(for: .personal) == finding(severity))
  }

  @Test("more sensitive data never lower a severity", arguments: Severity.allCases)
  func monotonous(severity: Severity) {
    let rated = Sensitivity.allCases.map { Rating.severity(severity, for: $0) }
    #expect(rated == rated.sorted())
  }

  @Test("a higher stated severity is never rated lower", arguments: Sensitivity.allCases)
  func ordered(sensitivity: Sensitivity) {
    let rated = Severity.allCases.sorted().map { Rating.severity($0, for: sensitivity) }
    #expect(rated == rated.sorted())
  }

  @Test("published data are never high, and rating twice is rating once")
  func published() {
    let rated = finding(.critical, .files, .proven).rated(for: .public)
    #expect(rated.severity == .low && rated.statedSeverity == .critical)
    #expect(rated.rated(for: .special).severity == .critical)
  }

  @Test(
    "who opens a hostile file is at risk whatever the data are", arguments: Sensitivity.allCases)
  func opening(sensitivity: Sensitivity) {
    let finding = finding(.high, .opening)
    #expect(finding.rated(for: sensitivity).severity == .high)
    #expect(finding.recoverability == .nothing)
  }

  @Test(
    "a combination of recoverability and access reads back from its severity",
    arguments: Recoverability.allCases, [Access.files, .exchange, .control])
  func recoverability(recoverability: Recoverability, access: Access) {
    guard let severity = Rating.severity(recoverability, access) else { return }
    let evidence: Evidence = recoverability == .demonstrated ? .proven : .structural
    let read = finding(severity, access, evidence).recoverability
    // Under control of the model an aid and nothing at all are both rated info; the worse is shown.
    #expect(read == (access == .control && recoverability == .nothing ? .aid : recoverability))
  }

  @Test("what could not be judged is not rated as nothing", arguments: Severity.allCases)
  func unknown(severity: Severity) {
    #expect(finding(severity, .exchange, .inconclusive).recoverability == .unknown)
  }

  @Test("no rule demonstrates without a proof")
  func demonstrated() {
    #expect(finding(.critical, .files, .proven).recoverability == .demonstrated)
    #expect(finding(.critical, .files, .structural).recoverability == .determined)
  }

  @Test("control of the model is a higher bar than seeing a gradient")
  func control() throws {
    for recoverability in Recoverability.allCases {
      guard let control = Rating.severity(recoverability, .control) else { continue }
      #expect(control <= (try #require(Rating.severity(recoverability, .exchange))))
    }
  }
}
