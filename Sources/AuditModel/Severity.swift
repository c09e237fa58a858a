/// How much a finding matters to somebody whose data passed through the model.
///
/// A rule or an attack states it for personal data; ``Rating`` moves it for data of another declared
/// sensitivity. For personal data:
///
/// - `info`: context, nothing to act on.
/// - `low`: a condition that helps an attacker who already has more.
/// - `medium`: labels, hidden features or aggregates can be read.
/// - `high`: inputs can be read by whoever sees the stated artefact, or a file tries to make its
///   reader run code or open other files.
/// - `critical`: inputs *were* read from the audited files, and the recovery is proven.
public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
  case info, low, medium, high, critical

  package var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Orders by how much a finding matters; `info` is the smallest.
  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
}

/// What a finding rests on, strongest first.
///
/// - `proven`: an input was recovered and the gradient simulated from it equals the observed one
///   to a stated relative error. No ground truth is involved.
/// - `structural`: the conditions of a cited theorem hold for a layer, though no gradient shows it.
/// - `empirical`: an estimate with a stated error, short of a proof.
/// - `inconclusive`: something prevented a judgement. Never to be read as safe.
public enum Evidence: String, Codable, Sendable, CaseIterable, Comparable {
  case proven, structural, empirical, inconclusive

  package var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Orders by strength; `proven` is the smallest, so that it is listed first.
  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
}
