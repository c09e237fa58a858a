package import AuditModel

/// A check that the inputs fit together before any attack uses them; one conformance per file.
package protocol PreflightChecker: Sendable {
  init()
  /// The lines of the report; empty if the check does not apply.
  func check(_ observation: Observation) -> [PreflightCheck]
}

/// Every check on an observation, in the order of the report.
///
/// A test fails if a file in `Preflight/` is missing here.
package enum PreflightCatalog {
  package static let all: [any PreflightChecker.Type] = [
    CoverageCheck.self,
    NumbersCheck.self,
    AxisOrderCheck.self,
    PrecisionCheck.self,
    ScaleCheck.self,
    BatchStatementCheck.self,
    NormalizationModeCheck.self,
  ]

  package static func run(on observation: Observation) -> [PreflightCheck] {
    all.flatMap { $0.init().check(observation) }
  }
}
