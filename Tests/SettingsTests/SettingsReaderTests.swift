import AuditModel
import Foundation
import Rules
import Settings
import Testing

@Suite("Settings file")
struct SettingsReaderTests {
  private let reader = SettingsReader(
    file: ".leakaudit.yml",
    vocabulary: SettingsVocabulary(
      identifiers: ["dense-chain", "imprint-rows", "optimizer-state"],
      thresholds: ["imprint-rows": ["equal-rows", "least-cosine"], "optimizer-state": []]))

  private func failure(_ text: String) -> String? {
    do throws(SettingsError) {
      _ = try reader.read(text)
      return nil
    } catch {
      return error.description
    }
  }

  @Test("every setting is read")
  func everything() throws {
    let settings = try reader.read(
      """
      # a comment
      fail-on: none
      sensitivity: special
      rules:
        optimizer-state: off
        imprint-rows: {equal-rows: 16, least-cosine: 0.99}
      suppressions:
        - rule: dense-chain
          path: "models/**"
          reason: >
            secure aggregation,
            reviewed
          expires: 2027-03-31
        - {rule: imprint-rows, layer: fc*, reason: "a test model", expires: "2028-02-29"}
      """)
    #expect(settings.failOn == FailThreshold.none && settings.sensitivity == .special)
    #expect(settings.rules.disabled == ["optimizer-state"])
    #expect(
      settings.rules.thresholds == ["imprint-rows": ["equal-rows": 16, "least-cosine": 0.99]])
    let first = try #require(settings.suppressions.first)
    #expect(settings.suppressions.count == 2)
    #expect(first.reason == "secure aggregation, reviewed" && first.layer == nil)
    #expect(first.expires == CalendarDate("2027-03-31") && first.line == 8)
    #expect(settings.suppressions[1].layer == Glob("fc*"))
  }

  @Test("every setting of numerical attacks is read")
  func inversion() throws {
    let settings = try reader.read(
      """
      inversion:
        attack: [inverting-gradients, auto]
        distance: squared
        optimizer: lbfgs
        iterations: 200
        restarts: 8
        step-size: 0.05
        step-decay: off
        total-variation: 0
        halving: no
        seek-labels: yes
        seed: 18446744073709551615
        precision: double
      """)
    var expected = InversionOverrides()
    expected.distance = .squared
    expected.optimizer = .lbfgs
    expected.iterations = 200
    expected.restarts = 8
    expected.stepSize = 0.05
    expected.decays = false
    expected.totalVariation = 0
    expected.halves = false
    expected.seeksLabels = true
    expected.seed = .max
    expected.precision = .double
    #expect(settings.inversion == expected)
    #expect(settings.attacks == [.invertingGradients, .auto])
  }

  @Test("the settings of the documentation are read, and are those of the attack that they name")
  func documented() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Documentation/BuildServers.md")
    let text = try String(decoding: Data(contentsOf: page), as: UTF8.self)
    let block = try #require(text.firstMatch(of: /```yaml\n(fail-on:(?s:.*?))```/)?.1)
    let reader = SettingsReader(
      file: "BuildServers.md",
      vocabulary: SettingsVocabulary(
        identifiers: ["classifier-bias", "input-facing-biased-dense"],
        thresholds: ["classifier-bias": []]))
    let settings = try reader.read(String(block))
    #expect(settings.attacks == [.auto] && settings.suppressions.count == 1)
    #expect(
      settings.inversion.applied(to: .dlg).description == InversionSettings(.auto).description)
  }

  @Test(
    "one attack needs no list, none is an empty one, and nothing said is nothing decided",
    arguments: [
      ("inversion: {attack: dlg}", [.dlg]), ("inversion: {attack: none}", []),
      ("inversion: {iterations: 5}", nil), ("inversion:\n  attack:\n  - idlg", [.idlg]),
    ] as [(String, [InversionSettings.Attack]?)])
  func attacks(text: String, expected: [InversionSettings.Attack]?) throws {
    #expect(try reader.read(text).attacks == expected)
  }

  @Test("an empty file sets nothing", arguments: ["", "# only a comment\n", "---\n"])
  func empty(text: String) throws {
    #expect(try reader.read(text) == AuditSettings())
  }

  @Test(
    "a wrong word is an error with its line and the nearest word",
    arguments: [
      ("fail-on: high\nsensitvity: public", ":2:", "'sensitivity'"),
      ("sensitivity: persnal", ":1:", "'personal'"),
      ("\nfail-on: hihg", ":2:", "'high'"),
      ("rules:\n  imprint-row: off", ":2:", "'imprint-rows'"),
      ("rules:\n  imprint-rows:\n    equal-row: 3", ":3:", "'equal-rows'"),
      ("rules:\n  imprint-rows: of", ":2:", "'off'"),
      ("suppressions:\n- rule: dense-chian", ":2:", "'dense-chain'"),
      ("suppressions:\n- rule: dense-chain\n  paths: x", ":3:", "'path'"),
      ("inversion:\n  iteration: 3", ":2:", "'iterations'"),
      ("inversion:\n  attack: dgl", ":2:", "'dlg'"),
      ("inversion:\n  attack:\n  - auto\n  - inverting-gradient", ":4:", "'inverting-gradients'"),
      ("inversion:\n  distance: cosin", ":2:", "'cosine'"),
      ("inversion:\n  optimizer: signed-adm", ":2:", "'signed-adam'"),
      ("inversion:\n  precision: singel", ":2:", "'single'"),
      ("inversion:\n  halving: offf", ":2:", "'off'"),
      ("invertion:\n  attack: auto", ":1:", "'inversion'"),
    ])
  func nearest(text: String, place: String, word: String) throws {
    let failure = try #require(self.failure(text))
    #expect(failure.hasPrefix(".leakaudit.yml\(place) "), "\(failure)")
    #expect(failure.hasSuffix("Did you mean \(word)?"), "\(failure)")
  }

  @Test(
    "what is missing or of the wrong kind is an error that says what is needed",
    arguments: [
      ("- a list", "mapping"), ("fail-on: [high]", "one word"), ("rules: off", "mapping"),
      ("suppressions: {}", "list"), ("fail-on:", "is empty"),
      ("suppressions:\n- rule: dense-chain\n  reason: r\n  expires: 2027-01-01", "neither"),
      ("suppressions:\n- rule: dense-chain\n  path: '*'\n  expires: 2027-01-01", "'reason'"),
      ("suppressions:\n- rule: dense-chain\n  path: '*'\n  reason: r", "'expires'"),
      ("suppressions:\n- path: '*'\n  reason: r\n  expires: 2027-01-01", "'rule'"),
      ("suppressions:\n- rule: dense-chain\n  expires: 2027-02-29", "YYYY-MM-DD"),
      ("suppressions:\n- rule: dense-chain\n  expires: soon", "YYYY-MM-DD"),
      ("rules:\n  imprint-rows: {equal-rows: many}", "a number"),
      ("inversion: auto", "mapping"), ("inversion: {iterations: 0}", "from 1 to"),
      ("inversion: {iterations: 1.5}", "whole number"), ("inversion: {restarts: -1}", "from 1 to"),
      ("inversion: {iterations: 9999999999999999999999}", "whole number"),
      ("inversion: {step-size: 0}", "above 0"), ("inversion: {step-size: .inf}", "a number"),
      ("inversion: {total-variation: -0.1}", "0 or a number above"),
      ("inversion: {seed: -1}", "from 0 to"), ("inversion: {seek-labels: 1}", "on or off"),
      ("inversion: {attack: []}", "empty list"),
      ("inversion: {attack: [none]}", "one of auto"),
      ("inversion: {attack: [dlg, dlg]}", "more than once"),
      ("inversion: {attack: {dlg: on}}", "one word"),
      ("rules:\n  imprint-rows: {equal-rows: .inf}", "a number"),
      ("rules:\n  optimizer-state: {steps: 3}", "no threshold"),
      ("rules:\n  dense-chain: off", "suppressions"),
      ("fail-on: low\nfail-on: high", "more than once"),
      ("fail-on: \"high", "no YAML"), ("a: b: c", "no YAML"),
    ])
  func refused(text: String, part: String) throws {
    let failure = try #require(self.failure(text))
    #expect(failure.contains(part), "\(failure)")
  }
}
