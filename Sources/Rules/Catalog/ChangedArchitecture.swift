internal import AuditModel
internal import Networks
internal import Tensors

/// Flags layers that the reference does not have, lacks or has otherwise.
struct ChangedArchitecture: Rule {
  static let metadata = RuleMetadata(
    identifier: "changed-architecture",
    title: "The architecture is not that of the reference",
    concern: .difference,
    severity: .high,
    evidence: .structural,
    rationale: """
      Modules that read inputs off gradients are inserted into an architecture that was agreed on: \
      a dense layer in front, a connection from the input to the end, weights per sample. Layers \
      and shapes do not change by training.
      """,
    formula: nil,
    remedy: "Refuse the model, or ask for the reason and audit it before it sees data.",
    remedyEffect: "A change that was announced can be judged like any other architecture.",
    sources: [.dishonestServers, .robbingTheFed],
    examples: .init(
      passing: [compared("equal", [("hidden", 32, true)])],
      failing: [
        (compared("a layer inserted", [("bins", 128, true), ("hidden", 32, true)]), "bins"),
        (compared("wider", [("hidden", 64, true)]), "hidden"),
        (compared("without a bias", [("hidden", 32, false)]), "hidden"),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    guard let reference = subject.reference else { return [] }
    let own = Self.layers(of: subject.network, subject.parameters)
    let kept = Self.layers(of: reference.network, reference.parameters)
    guard own.map(\.description) != kept.map(\.description) else { return [] }
    let differences = own.difference(from: kept) { $0.description == $1.description }
    var added: [String] = []
    var removed: [String] = []
    var place: String?
    for change in differences {
      switch change {
      case .insert(_, let layer, _):
        added.append(layer.description)
        place = place ?? layer.name
      case .remove(_, let layer, _): removed.append(layer.description)
      }
    }
    return [
      finding(
        in: subject, at: place ?? subject.network.nodes.last?.name,
        message: """
          The architecture differs from \(reference.artifact): \
          \(Self.listed(added, "added")); \(Self.listed(removed, "missing")).
          """,
        measurements: [
          .init("layers added", "\(added.count)"), .init("layers missing", "\(removed.count)"),
        ],
        preconditions: ["The reference is the model that was agreed on."])
    ]
  }

  private struct Layer {
    var name: String
    var description: String
  }

  /// One line a layer: name, kind, shapes of its parameters and what reads what.
  private static func layers(of network: Network, _ parameters: Parameters?) -> [Layer] {
    var shapes: [Int: [String]] = [:]
    for key in parameters?.table.keys ?? [] {
      let shape = parameters?.table[key.node, key.role]?.shape ?? []
      shapes[key.node, default: []].append("\(key.role) \((shape as Shape).text)")
    }
    return network.nodes.enumerated().map { index, node in
      let detail = node.layer.detail.map { " (\($0))" } ?? ""
      let sources = node.sources.map { source in
        switch source {
        case .input(let input): "input \(input)"
        case .node(let before):
          network.nodes.indices.contains(before) ? network.nodes[before].name : "?"
        }
      }
      let weights = (shapes[index] ?? []).joined(separator: ", ")
      return Layer(
        name: node.name,
        description: "'\(node.name)' \(node.layer.kind)\(detail)"
          + (weights.isEmpty ? "" : " with \(weights)")
          + " behind \(sources.joined(separator: " and "))")
    }
  }

  private static func listed(_ layers: [String], _ verb: String) -> String {
    guard !layers.isEmpty else { return "nothing \(verb)" }
    let shown = layers.prefix(3).joined(separator: "; ")
    return "\(verb) \(shown)" + (layers.count > 3 ? "; and \(layers.count - 3) more" : "")
  }

  /// A perceptron with these hidden layers beside one with one of 32 units.
  private static func compared(
    _ name: String, _ hidden: [(name: String, width: Int, hasBias: Bool)]
  ) -> Subject {
    func network(_ hidden: [(name: String, width: Int, hasBias: Bool)]) -> Network {
      var nodes = hidden.enumerated().map { index, layer in
        Network.Node(
          name: layer.name, layer: Dense(outputs: layer.width, hasBias: layer.hasBias),
          sources: [index == 0 ? .input(0) : .node(index - 1)])
      }
      nodes.append(
        Network.Node(
          name: "logits", layer: Dense(outputs: 10), sources: [.node(nodes.count - 1)]))
      return Network(name, inputShapes: [[64]], nodes: nodes)
    }
    var subject = Subject.drawn(name, network(hidden))
    let kept = Subject.drawn("kept", network([("hidden", 32, true)]))
    subject.reference = kept.parameters.map {
      Reference(artifact: "the reference", network: kept.network, parameters: $0.table)
    }
    return subject
  }
}
