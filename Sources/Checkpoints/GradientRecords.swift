internal import Networks
internal import Tensors

/// Gradients and updates in a container, whichever groups hold them.
package enum GradientRecords {
  /// What a group's name says about the tensors below it.
  package enum Section: Equatable {
    case gradient, update, optimizer, parameters, truth, ignored
  }

  static func section(named name: Substring) -> Section? {
    switch name.lowercased() {
    case "gradients", "gradient", "grads", "grad": .gradient
    case "update", "updates", "delta", "deltas", "model_update": .update
    case "optimizer", "optimizer_state_dict", "optimizer_weights", "optimizer_state", "opt_state",
      "optim", "optimizer_states":
      .optimizer
    case "parameters", "params", "state_dict", "model_state_dict", "model_weights", "weights":
      .parameters
    case "truth": .truth
    case "metrics", "compile_metrics", "_loss_tracker": .ignored
    default: nil
    }
  }

  /// Every record below a group named for gradients or updates.
  static func find(in container: Container, facts: ExchangeFacts) -> [GradientRecord] {
    let split = container.datasetPaths.compactMap { path -> SectionedPath? in
      guard let place = SectionedPath(path),
        place.section == .gradient || place.section == .update,
        container.tensor(path) != nil
      else { return nil }
      return place
    }
    return records(split, in: container, facts: facts)
  }

  /// Groups tensors by the step, round or client they belong to.
  static func records(
    _ places: [SectionedPath], in container: Container, facts: ExchangeFacts
  ) -> [GradientRecord] {
    var labels: [String] = []
    var members: [String: [SectionedPath]] = [:]
    for place in places {
      if members[place.label] == nil { labels.append(place.label) }
      members[place.label, default: []].append(place)
    }
    return labels.flatMap { label -> [GradientRecord] in
      let own = members[label, default: []]
      let named = tensors(own, in: container)
      let inner =
        label.isEmpty
        ? facts : ExchangeFacts(attributesOf: label, in: container).completed(by: facts)
      let kind: GradientRecord.Kind = own.first?.section == .update ? .update : .gradient
      return unstacked(
        GradientRecord(label: label, kind: kind, tensors: named, facts: inner))
    }
  }

  /// The tensors of a record with layer and role.
  static func tensors(_ places: [SectionedPath], in container: Container) -> [NamedTensor] {
    let arrays = places.compactMap { place in
      container.tensor(place.path).map { (place: place, tensor: $0) }
    }
    if !arrays.isEmpty, arrays.allSatisfy({ NamelessTensors.isPositional($0.place.name) }) {
      return NamelessTensors.pair(arrays.map { ($0.place.path, $0.tensor) })
    }
    return arrays.map { NamedTensor(path: $0.place.path, name: $0.place.name, tensor: $0.tensor) }
  }

  /// Splits a record whose tensors all have a leading step axis.
  ///
  /// A bias has one axis; where every bias has two of the same leading extent, and every weight at
  /// least three, the leading one counts steps.
  private static func unstacked(_ record: GradientRecord) -> [GradientRecord] {
    let biases = record.tensors.filter { $0.role == .bias }
    guard let steps = biases.first?.tensor.shape.first,
      biases.allSatisfy({ $0.tensor.shape.count == 2 }), steps > 0, steps <= 10_000,
      record.tensors.allSatisfy({
        $0.tensor.shape.first == steps && ($0.role != .weight || $0.tensor.shape.count >= 3)
      })
    else { return [record] }
    return (0..<steps).map { step in
      var one = record
      one.label = record.label.isEmpty ? "step \(step)" : "\(record.label), step \(step)"
      one.tensors = record.tensors.map { named in
        var part = named
        part.tensor = named.tensor.slice(step)
        return part
      }
      return one
    }
  }
}

/// A dataset's path, taken apart into what its groups mean.
package struct SectionedPath {
  package var path: String
  package var section: GradientRecords.Section
  /// The groups that say step, round or client, joined; empty if there are none.
  package var label: String
  /// What is left: the parameter's own name.
  package var name: String

  /// - Returns: `nil` if no group has a meaning.
  package init?(_ path: String) {
    var components = path.components[...]
    var section: GradientRecords.Section?
    var labels: [Substring] = []
    while components.count > 1, let first = components.first {
      if let found = GradientRecords.section(named: first) {
        // The outermost meaning wins: `optimizer/…/params` is optimiser state, and Flax wraps
        // gradients into `params` once more.
        section = section ?? found
      } else if Self.isLabel(first) {
        labels.append(first)
      } else {
        break
      }
      components = components.dropFirst()
    }
    guard section != nil || !labels.isEmpty else { return nil }
    self.init(
      path: path, section: section ?? .parameters, label: labels.joined(separator: "/"),
      name: components.joined(separator: "/"))
  }

  init(path: String, section: GradientRecords.Section, label: String, name: String) {
    self.path = path
    self.section = section
    self.label = label
    self.name = name
  }

  private static func isLabel(_ name: Substring) -> Bool {
    // Steps are numbered; participants may be called anything, as Flower's node identifiers are.
    name.wholeMatch(of: /(step|iter|iteration|rank|batch|epoch)[_-]?[0-9]+/) != nil
      || name.wholeMatch(of: /(round|client|worker|server|node)([_-]?[A-Za-z0-9-]+)?/) != nil
  }
}
