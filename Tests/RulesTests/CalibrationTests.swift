import Foundation
import Rules
import Testing

/// The figures that rules state are those that `Benchmarks/rules.py` last measured.
@Suite("Calibration of the rules")
struct CalibrationTests {
  private struct Results: Decodable {
    struct Clean: Decodable {
      var networks: [String]
      var falseAlarms: [String]
    }

    struct Changed: Decodable {
      var cases: Int
      var found: Int
    }

    struct Compared: Decodable {
      var cases: Int?
      var right: Int?
    }

    var clean: Clean
    var changed: [String: Changed]
    var compare: [String: Compared]
  }

  /// What was compared to provoke each rule about a difference.
  private static let comparisons = [
    "changed-architecture": "module inserted", "permuted-classifier-rows": "classes exchanged",
    "replaced-weights": "layer replaced",
  ]

  private func results() throws -> Results {
    let file = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Benchmarks/rules_results.json")
    return try JSONDecoder().decode(Results.self, from: Data(contentsOf: file))
  }

  @Test("every rule about manipulations and differences states its figures, and so its page")
  func complete() {
    for metadata in RuleCatalog.all.map({ $0.metadata }) where metadata.concern != .exposure {
      #expect(Calibration.all[metadata.identifier] != nil, "\(metadata.identifier)")
      #expect(metadata.measuredErrors.contains("false alarms on"))
    }
    #expect(Calibration.all.keys.allSatisfy { RuleCatalog.rule(identifiedBy: $0) != nil })
  }

  @Test("the figures of rules about manipulations are the measured ones")
  func manipulations() throws {
    let results = try results()
    for (rule, changed) in results.changed {
      let stated = try #require(Calibration.all[rule], "\(rule)")
      #expect(stated.clean == results.clean.networks.count)
      #expect(stated.falseAlarms == results.clean.falseAlarms.count { $0.hasPrefix("\(rule): ") })
      #expect(stated.changed == changed.cases && stated.found == changed.found, "\(rule)")
    }
    #expect(results.changed.count + Self.comparisons.count == Calibration.all.count)
  }

  @Test("the figures of rules about differences are the measured ones")
  func differences() throws {
    let results = try results()
    let honest = try #require(results.compare["honest step"])
    for (rule, comparison) in Self.comparisons {
      let stated = try #require(Calibration.all[rule])
      let measured = try #require(results.compare[comparison])
      #expect(stated.clean == honest.cases)
      #expect(stated.clean - stated.falseAlarms == honest.right, "\(rule)")
      #expect(stated.changed == measured.cases && stated.found == measured.right, "\(rule)")
    }
  }
}
