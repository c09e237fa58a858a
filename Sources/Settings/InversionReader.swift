internal import AuditModel

/// The section `inversion`: which numerical attacks run, and what replaces the settings of their
/// presets.
extension SettingsReader {
  private static let inversionKeys = [
    "attack", "distance", "optimizer", "iterations", "restarts", "step-size", "step-decay",
    "total-variation", "halving", "seek-labels", "seed", "precision",
  ]

  func inversion(
    _ document: SettingsDocument, into settings: inout AuditSettings
  ) throws(SettingsError) {
    var overrides = InversionOverrides()
    for (key, place, value) in try document.members(of: "'inversion'") {
      let name = "'\(key)'"
      switch key {
      case "attack": settings.attacks = try attacks(value)
      case "distance": overrides.distance = try value.word(name, InversionSettings.Distance.self)
      case "optimizer":
        overrides.optimizer = try value.word(name, InversionSettings.Optimizer.self)
      case "iterations":
        overrides.iterations = try value.integer(name, InversionSettings.iterationRange)
      case "restarts": overrides.restarts = try value.integer(name, InversionSettings.restartRange)
      case "step-size": overrides.stepSize = try positive(value, name)
      case "step-decay": overrides.decays = try value.flag(name)
      case "total-variation": overrides.totalVariation = try notNegative(value, name)
      case "halving": overrides.halves = try value.flag(name)
      case "seek-labels": overrides.seeksLabels = try value.flag(name)
      case "seed": overrides.seed = try value.integer(name, 0...UInt64.max)
      case "precision":
        overrides.precision = try value.word(name, InversionSettings.Precision.self)
      default: throw unknown(key, at: place, Self.inversionKeys)
      }
    }
    settings.inversion = overrides
  }

  /// One attack, several, or the word `none`.
  private func attacks(
    _ document: SettingsDocument
  ) throws(SettingsError) -> [InversionSettings.Attack] {
    guard document.isSequence else {
      return try document.word("'attack'", AttackWord.self).attack.map { [$0] } ?? []
    }
    var attacks: [InversionSettings.Attack] = []
    for element in try document.elements(of: "'attack'") {
      let attack = try element.word("an attack of 'attack'", InversionSettings.Attack.self)
      guard !attacks.contains(attack) else {
        throw element.error(
          "'\(attack.rawValue)' occurs more than once", needed: "each attack is needed once")
      }
      attacks.append(attack)
    }
    guard !attacks.isEmpty else {
      throw document.error("'attack' is an empty list", needed: "an attack or none is needed")
    }
    return attacks
  }

  private func positive(
    _ document: SettingsDocument, _ name: String
  ) throws(SettingsError) -> Double {
    let number = try document.number(name)
    guard number > 0 else {
      throw document.error("\(name) is \(number)", needed: "a number above 0 is needed")
    }
    return number
  }

  private func notNegative(
    _ document: SettingsDocument, _ name: String
  ) throws(SettingsError) -> Double {
    let number = try document.number(name)
    guard number >= 0 else {
      throw document.error("\(name) is \(number)", needed: "0 or a number above it is needed")
    }
    return number
  }
}

/// The attacks and the word for none of them.
private enum AttackWord: RawRepresentable, CaseIterable {
  case some(InversionSettings.Attack)
  case none

  static let allCases = InversionSettings.Attack.allCases.map { AttackWord.some($0) } + [.none]

  init?(rawValue: String) {
    guard rawValue != "none" else {
      self = .none
      return
    }
    guard let attack = InversionSettings.Attack(rawValue: rawValue) else { return nil }
    self = .some(attack)
  }

  var rawValue: String { attack?.rawValue ?? "none" }

  var attack: InversionSettings.Attack? {
    if case .some(let attack) = self { attack } else { nil }
  }
}
