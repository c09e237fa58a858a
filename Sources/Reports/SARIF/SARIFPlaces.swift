internal import AuditModel

/// The files and layers that a SARIF log refers to by index.
struct SARIFPlaces {
  /// The files, each once, in the order in which they were given.
  private let files: [InputSummary]
  /// The layers that findings speak of, in the order of files and names.
  private let layers: [Layer]
  private let fileIndices: [String: Int]
  private let layerIndices: [Layer: Int]

  private struct Layer: Hashable {
    var artifact: String
    var name: String

    var qualifiedName: String { "\(artifact)::\(name)" }
  }

  init(_ report: AuditReport) {
    var seen: Set<String> = []
    files = report.inputs.filter { seen.insert($0.path).inserted }
    let findings = report.findings + report.policy.suppressed.map(\.finding)
    let named = findings.compactMap { finding in
      finding.layer.map { Layer(artifact: finding.artifact, name: $0) }
    }
    layers = Set(named).sorted { ($0.artifact, $0.name) < ($1.artifact, $1.name) }
    layerIndices = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1, $0) })
    fileIndices = Dictionary(uniqueKeysWithValues: files.enumerated().map { ($1.path, $0) })
  }

  /// The files, each with its size and digest.
  var artifacts: JSONValue {
    .array(
      files.map { input in
        var members: [String: JSONValue] = [
          "location": uri(input.path),
          "description": SARIFPart.message("\(input.role) (\(input.format))"),
          "length": .integer(input.byteCount),
          "roles": JSONValue([
            ["configuration", "baseline"].contains(input.role)
              ? "toolSpecifiedConfiguration" : "analysisTarget"
          ]),
        ]
        if let digest = input.sha256 {
          members["hashes"] = .object(["sha-256": .string(digest)])
        }
        return .object(members)
      })
  }

  /// The layers; a file of numbers has no lines, so a layer's name is the place that matters.
  var logicalLocations: JSONValue {
    .array(
      layers.map { layer in
        .object([
          "name": .string(layer.name), "fullyQualifiedName": .string(layer.qualifiedName),
          "kind": .string("layer"),
        ])
      })
  }

  /// Line 1 of the file, since viewers need a line, and the layer.
  func location(_ artifact: String, layer: String? = nil) -> JSONValue {
    var file = uri(artifact)
    if case .object(var members) = file, let index = fileIndices[artifact] {
      members["index"] = .integer(index)
      file = .object(members)
    }
    var members: [String: JSONValue] = [
      "physicalLocation": .object([
        "artifactLocation": file, "region": .object(["startLine": .integer(1)]),
      ])
    ]
    if let layer {
      let key = Layer(artifact: artifact, name: layer)
      var logical: [String: JSONValue] = [
        "name": .string(layer), "fullyQualifiedName": .string(key.qualifiedName),
        "kind": .string("layer"),
      ]
      if let index = layerIndices[key] { logical["index"] = .integer(index) }
      members["logicalLocations"] = .array([.object(logical)])
    }
    return .object(members)
  }

  func location(_ notice: PolicyNotice) -> JSONValue {
    .object([
      "physicalLocation": .object([
        "artifactLocation": uri(notice.file),
        "region": .object(["startLine": .integer(notice.line)]),
      ])
    ])
  }

  private func uri(_ path: String) -> JSONValue {
    .object([
      "uri": .string(Escaped.relativeReference(path)), "uriBaseId": .string(SARIFReport.base),
    ])
  }
}
