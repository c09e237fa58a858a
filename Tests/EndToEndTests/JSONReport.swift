import Foundation

/// The part of a JSON report that these tests read.
struct JSONReport: Decodable {
  struct Finding: Decodable {
    struct Measurement: Decodable {
      var name: String
      var value: String
    }

    var id: String
    var severity: String
    var evidence: String
    var message: String
    var measurements: [Measurement]
  }

  struct Recovery: Decodable {
    struct Quality: Decodable {
      var meanSquaredError: [Double]
      var psnr: [Double]
      var greyPSNR: Double
      var meanImagePSNR: Double?
      var valueRange: [Double]
      var labelsCorrect: Int?
    }

    var isModelInput: Bool
    var proven: Bool
    var samples: Int
    var batchSize: Int?
    var quality: Quality?
  }

  struct Labels: Decodable {
    var present: [Int]
    var exact: Bool
  }

  struct Layer: Decodable {
    var name: String
    var leak: String
  }

  struct Skipped: Decodable {
    var artifact: String
    var what: String
    var why: String
  }

  struct Input: Decodable {
    var path: String
    var sha256: String?
    var format: String
    var role: String
  }

  var command: [String]
  var verdict: String
  var exitCode: Int
  var findings: [Finding]
  var recoveries: [Recovery]
  var labels: Labels?
  var layers: [Layer]
  var skipped: [Skipped]
  var inputs: [Input]

  init(_ data: Data) throws { self = try JSONDecoder().decode(Self.self, from: data) }
}
