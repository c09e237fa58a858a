package import Checkpoints
internal import Networks
internal import Reports
internal import Tensors

/// What a file holds and what matched what, for `leakaudit inspect`.
package enum Inspection {
  /// Plain text; names from the file are made harmless.
  ///
  /// - Throws: ``CheckpointError`` if the file cannot be read or its parts contradict each other.
  package static func text(
    of path: String, reader: CheckpointReader
  ) throws(CheckpointError) -> String {
    let file = try reader.read(path, as: .model)
    let contents = file.contents
    var text = """
      file          \(Escaped.terminal(DisplayedPath.of(path)))
      format        \(contents.format)
      size          \(file.file.count.byteText)
      sha-256       \(file.file.sha256())

      """
    if let model = try BoundModel(file) {
      text += layers(model)
      text += try gradients(contents, model, path: path)
    }
    if let optimizer = contents.optimizer {
      text += "\noptimiser '\(Escaped.terminal(optimizer.name))', "
      text += "\(optimizer.steps.map { "\($0) steps" } ?? "steps not stated")\n"
      for (slot, tensor) in optimizer.slots { text += row(tensor, note: slot.rawValue) }
    }
    text += facts(contents.facts)
    for hazard in contents.hazards {
      text +=
        "\nnot followed  \(Escaped.terminal(hazard.path)): \(Escaped.terminal(FileHazard.reason(hazard)))"
    }
    for omission in contents.omissions {
      text +=
        "\nnot read      \(Escaped.terminal(omission.path)): \(Escaped.terminal(omission.reason))"
    }
    return text.hasSuffix("\n") ? text : text + "\n"
  }

  private static func layers(_ model: BoundModel) -> String {
    let network = model.network
    var text =
      "\nmodel '\(Escaped.terminal(network.name))' (architecture \(network.origin == .declared ? "stated by the file" : "guessed from names and shapes"))\n"
    for (index, node) in network.nodes.enumerated() {
      let detail = node.layer.detail.map { " (\($0))" } ?? ""
      text += "  \(Escaped.terminal(node.name)): \(node.layer.kind)\(Escaped.terminal(detail))"
      text += ", \(node.inputShape?.text ?? "?") → \(node.outputShape?.text ?? "?")\n"
      for key in model.weights.keys where key.node == index {
        guard let tensor = model.weights[key.node, key.role] else { continue }
        text +=
          "    \(Escaped.terminal(key.role.description)) \(tensor.shape) \(tensor.kind.rawValue)\n"
      }
      if let mismatch = node.mismatch { text += "    does not fit: \(mismatch)\n" }
    }
    for tensor in model.leftOver { text += row(tensor, note: "fits no layer") }
    if !model.matchedWithoutName.isEmpty {
      text += "  matched by shape or position: "
      text += model.matchedWithoutName.map { Escaped.terminal($0) }.joined(separator: ", ") + "\n"
    }
    return text
  }

  private static func gradients(
    _ contents: Contents, _ model: BoundModel, path: String
  ) throws(CheckpointError) -> String {
    var text = ""
    for record in contents.gradients {
      let bound = try model.bind(record.tensors, convention: contents.convention, file: path)
      text += "\n\(record.kind.rawValue) \(Escaped.terminal(record.label))\n"
      for key in bound.table.keys {
        guard let tensor = bound.table[key.node, key.role] else { continue }
        text += "  \(Escaped.terminal(model.network.nodes[key.node].name)) "
        text +=
          "\(Escaped.terminal(key.role.description)) \(tensor.shape) \(tensor.kind.rawValue)\n"
      }
    }
    return text
  }

  private static func row(_ tensor: NamedTensor, note: String) -> String {
    "  \(Escaped.terminal(tensor.path)) \(tensor.tensor.shape) \(tensor.tensor.kind.rawValue): \(note)\n"
  }

  private static func facts(_ facts: ExchangeFacts) -> String {
    var parts: [String] = []
    if let value = facts.batchSize { parts.append("batch size \(value)") }
    if let value = facts.reduction { parts.append("reduction \(value)") }
    if let value = facts.localSteps { parts.append("local steps \(value)") }
    if let value = facts.learningRate { parts.append("learning rate \(value)") }
    if let value = facts.loss { parts.append("loss \(Escaped.terminal(value))") }
    parts += facts.problems.map { Escaped.terminal($0) }
    return parts.isEmpty ? "" : "\nstated        \(parts.joined(separator: ", "))\n"
  }
}
