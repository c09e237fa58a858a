internal import Networks
internal import Tensors

/// This project's own layout, as `leakaudit schema` prints it.
struct LeakauditLayout: CheckpointFormat {
  static let name = "leakaudit-layout"

  func recognises(_ file: ParsedFile) -> Bool {
    file.container.attributes[""]?["leakaudit_layout"] != nil
  }

  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    let container = file.container
    guard container.number("leakaudit_layout") == 1 else {
      throw CheckpointError(
        .architecture(detail: "attribute 'leakaudit_layout' is not 1, the version known here"),
        file: file.path)
    }
    var contents = Contents(
      format: Self.name, convention: try convention(of: container, file: file.path))
    if container.attributes[""]?["architecture"] != nil {
      guard let text = container.text("architecture") else {
        throw CheckpointError(
          .architecture(detail: "attribute 'architecture' is not text"), file: file.path)
      }
      contents.architecture = try ArchitectureJSON.network(
        from: text, channelsFirst: contents.convention == .channelsFirst,
        loss: container.text("loss"), file: file.path)
    }
    let places = container.datasetPaths.compactMap { SectionedPath($0) }
    contents.parameters = GradientRecords.tensors(
      places.filter { $0.section == .parameters && $0.path.hasPrefix("parameters/") },
      in: container)
    contents.facts = ExchangeFacts(attributesOf: "", in: container)
    contents.gradients = GradientRecords.find(in: container, facts: contents.facts)
    contents.truth = Truth(in: container, below: "truth/")
    contents.noteUnread(container)
    if contents.isEmpty {
      throw CheckpointError(
        .nothingInside(detail: "the layout is declared, but nothing is in it"), file: file.path)
    }
    return contents
  }

  private func convention(
    of container: Container, file: String
  ) throws(CheckpointError) -> ParameterTable.Convention {
    switch container.text("convention") {
    case "channels_last": return .channelsLast
    case "channels_first": return .channelsFirst
    case let other:
      throw CheckpointError(
        .architecture(
          detail: "attribute 'convention' is \(other ?? "missing"), not channels_last or "
            + "channels_first"), file: file)
    }
  }
}

extension Truth {
  /// The samples below `prefix`, if they are there.
  init?(in container: Container, below prefix: String) {
    guard let inputs = container.tensor(prefix + "inputs"), !inputs.shape.isEmpty else {
      return nil
    }
    self.init(inputs: inputs, labels: container.tensor(prefix + "labels")?.elements())
  }
}

extension Contents {
  /// Lists datasets of a container that hold no numbers this project can read.
  mutating func noteUnread(_ container: Container) {
    for path in container.datasetPaths {
      if case .refused(_, let reason) = container.datasets[path] {
        omissions.append(.init(path: path, reason: reason))
      }
    }
  }
}
