import Checkpoints
import Foundation
import Networks
import TensorIR
import Tensors
import Testing

/// A network with numbers, and what a framework computed from them.
struct AgreementCase: Sendable, CustomTestStringConvertible {
  /// An array in row-major order.
  struct Numbers: Sendable {
    var shape: [Int]
    var elements: [Double]
  }

  let framework: String
  let name: String
  let convention: ParameterTable.Convention
  let mode: ForwardPass.Mode
  /// The architecture in this project's words.
  let network: Network
  /// The inputs' names in the order of the network's.
  let inputNames: [String]
  /// The configuration that Keras itself writes, where the case has one.
  let configuration: String?
  /// The loss; `nil` stands for `½ Σ (s y)²` with the case's `loss_scale`.
  let loss: Loss?
  /// Whether targets are class numbers.
  let hasClasses: Bool
  /// By path: inputs, parameters, directions, targets.
  let given: [String: Numbers]
  /// By path, as the framework computed them.
  let results: [String: Numbers]

  var testDescription: String { "\(framework) \(name)" }

  /// Which layer kinds it holds.
  var kinds: Set<String> { Set(network.nodes.map(\.layer.kind)) }
}

enum AgreementFixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/agreement")
  /// The tool beside the tests, which parses HDF5 for them.
  static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "leakaudit").path

  struct Malformed: Error {
    var detail: String
  }

  static let cases: Result<[AgreementCase], any Error> = Result { try read() }
  /// Empty if they cannot be read, which a test of its own reports.
  static var all: [AgreementCase] { (try? cases.get()) ?? [] }

  private static func read() throws -> [AgreementCase] {
    let text = try String(contentsOf: folder.appending(path: "index.json"), encoding: .utf8)
    guard let rows = JSONValue(untrusted: text)?["cases"]?.array else {
      throw Malformed(detail: "index.json lists no cases")
    }
    var containers: [String: Container] = [:]
    return try rows.map { row in
      guard let framework = row["framework"]?.string else { throw Malformed(detail: "framework") }
      if containers[framework] == nil {
        let path = folder.appending(path: framework + ".h5").path
        let file = try MappedFile(path: path)
        containers[framework] = try SandboxedReader(executable: executable)
          .read(file, range: 0..<file.count, path: path)
      }
      guard let container = containers[framework] else { throw Malformed(detail: framework) }
      return try AgreementCase(row, in: container, framework)
    }
  }
}

extension AgreementCase {
  init(_ row: JSONValue, in container: Container, _ framework: String) throws {
    guard let name = row["name"]?.string, let architecture = row["architecture"],
      let layout = row["layout"]?.string, let loss = row["loss"]
    else { throw AgreementFixtures.Malformed(detail: "a row of \(framework)") }
    self.framework = framework
    self.name = name
    convention = layout == "channels_first" ? .channelsFirst : .channelsLast
    mode = row["training"]?.bool == true ? .training : .inference
    network = try ArchitectureJSON.network(
      from: architecture.text, channelsFirst: convention == .channelsFirst, loss: nil, file: name)
    inputNames = architecture["inputs"]?.array?.compactMap { $0["name"]?.string } ?? []
    configuration = container.text("model_config", of: name)
    hasClasses = loss["targets"]?.string == "classes"
    let kind = loss["kind"]?.string ?? ""
    if kind == "half-squares" {
      self.loss = nil
    } else {
      var known = try Loss(named: kind, smoothing: loss["label_smoothing"]?.number ?? 0)
      known.reduction = Loss.Reduction(rawValue: loss["reduction"]?.string ?? "") ?? .mean
      known.outputReduction =
        Loss.Reduction(rawValue: loss["feature_reduction"]?.string ?? "") ?? .mean
      self.loss = known
    }
    given = try Self.numbers("given", row, name, in: container)
    results = try Self.numbers("results", row, name, in: container)
  }

  /// The arrays that lie one behind the other in a dataset of the case.
  private static func numbers(
    _ part: String, _ row: JSONValue, _ name: String, in container: Container
  ) throws -> [String: Numbers] {
    guard let all = container.tensor("\(name)/\(part)")?.elements(),
      let entries = row[part]?.array
    else { throw AgreementFixtures.Malformed(detail: "\(name)/\(part)") }
    var numbers: [String: Numbers] = [:]
    var start = 0
    for entry in entries {
      guard let path = entry["path"]?.string,
        let shape = entry["shape"]?.array?.compactMap(\.integer)
      else { throw AgreementFixtures.Malformed(detail: "\(name)/\(part)") }
      let end = start + shape.reduce(1, *)
      guard end <= all.count else { throw AgreementFixtures.Malformed(detail: "\(name)/\(path)") }
      numbers[path] = Numbers(shape: shape, elements: Array(all[start..<end]))
      start = end
    }
    guard start == all.count else { throw AgreementFixtures.Malformed(detail: "\(name) is longer") }
    return numbers
  }

  /// The arrays below `prefix` as a table of `network`.
  func table(_ prefix: String, for network: Network) throws -> ParameterTable {
    var table = ParameterTable(convention: convention)
    for (path, numbers) in given where path.hasPrefix(prefix) {
      let (node, role) = try place(path.dropFirst(prefix.count), in: network)
      table[node, role] = Tensor(numbers.elements, shape: numbers.shape)
    }
    return table
  }

  /// The node and the role behind `layer/role`.
  func place(_ path: Substring, in network: Network) throws -> (node: Int, role: ParameterRole) {
    let cut = path.lastIndex(of: "/") ?? path.startIndex
    let node = network.nodes.firstIndex { $0.name == path[..<cut] }
    guard let node else { throw AgreementFixtures.Malformed(detail: "no layer for \(path)") }
    let named = ParameterRole(named: String(path[cut...].dropFirst()))
    return (node, network.nodes[node].layer.ownRole(for: named))
  }

  /// What the loss compares the output with.
  func targets(like output: TensorType) -> [Double] {
    let numbers = given["targets"]?.elements ?? []
    guard hasClasses, let classes = output.shape.last else { return numbers }
    return numbers.flatMap { label in (0..<classes).map { Double($0) == label ? 1 : 0 } }
  }
}

extension JSONValue {
  /// The value as JSON text.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value):
      value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    case .string(let value):
      "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.keys.sorted().map { key in
          JSONValue.string(key).text + ": " + (members[key]?.text ?? "null")
        }.joined(separator: ", ") + "}"
    }
  }
}
