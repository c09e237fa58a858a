package import Networks
internal import Tensors

/// Ties named tensors to the layers of a network, across the naming styles of frameworks.
///
/// A layer's tensors move together. A name decides first (longest common ending), then the shapes,
/// then the position where everything else fits. Two candidates left are an error, never a guess.
package struct ParameterMatcher {
  /// The tensors of a network and how they were found.
  package struct Match {
    package var table: ParameterTable
    /// Layer groups that were matched by shape or position, not by name.
    package var withoutName: [String] = []
    /// Groups that fit nothing, or more than one place; only if `isLenient`.
    package var leftOver: [NamedTensor] = []
  }

  let network: Network
  /// Weights that are already tied to the network, for layers whose shapes it does not state.
  var known: ParameterTable?
  let file: String

  package init(network: Network, known: ParameterTable? = nil, file: String) {
    self.network = network
    self.known = known
    self.file = file
  }

  /// If `isLenient`, tensors that fit no layer, or several, are listed instead of being an error.
  ///
  /// - Throws: ``CheckpointError`` naming the tensor and its candidates.
  package func match(
    _ tensors: [NamedTensor], convention: ParameterTable.Convention, isLenient: Bool
  ) throws(CheckpointError) -> Match {
    let tensors = tensors.map(foldingProjection)
    var match = Match(table: ParameterTable(convention: convention))
    var claimed: Set<Int> = []
    var open: [LayerGroup] = []
    for group in LayerGroup.all(of: tensors) {
      let candidates = byName(group)
      if candidates.count > 1, !isLenient { throw ambiguity(group, candidates) }
      guard candidates.count == 1, let node = candidates.first, claimed.insert(node).inserted else {
        open.append(group)
        continue
      }
      guard fits(group, node) else {
        guard isLenient else { throw misfit(group, node) }
        match.leftOver += group.tensors
        continue
      }
      assign(group, to: node, in: &match.table)
    }
    try matchByShape(open, claimed: claimed, isLenient: isLenient, into: &match)
    match.table.convention = self.convention(of: match.table)
    return match
  }

  // MARK: - Names

  /// The nodes that share the longest ending of the group's name.
  private func byName(_ group: LayerGroup) -> [Int] {
    var best: [Int] = []
    var length = 0
    for (index, node) in network.nodes.enumerated() {
      let parts = node.name.split { $0 == "/" || $0 == "." }
      let common = zip(parts.reversed(), group.path.reversed())
        .prefix { $0.lowercased() == $1.lowercased() }.count
      guard common > 0 else { continue }
      // A complete name beats a longer name with the same ending.
      let score = 2 * common + (common == parts.count ? 1 : 0)
      if score > length {
        (best, length) = ([index], score)
      } else if score == length {
        best.append(index)
      }
    }
    let fitting = best.filter { fits(group, $0) }
    return fitting.isEmpty ? best.count == 1 ? best : [] : fitting
  }

  /// A projection inside an attention layer as a parameter of that layer.
  ///
  /// Keras keeps `attention/query/kernel`, PyTorch `attention.out_proj.weight`.
  private func foldingProjection(_ tensor: NamedTensor) -> NamedTensor {
    let path = tensor.layer.flatMap { $0.split { $0 == "/" || $0 == "." }.map(String.init) }
    guard path.count >= 2, let part = path.last, tensor.role == .weight || tensor.role == .bias,
      ["query", "key", "value", "attention_output", "out_proj"].contains(part),
      network.nodes.contains(where: { node in
        node.layer is Attention
          && node.name.split { $0 == "/" || $0 == "." }.last.map(String.init)
            == path[path.count - 2]
      })
    else { return tensor }
    let stem = part == "attention_output" || part == "out_proj" ? "output" : part
    var folded = tensor
    folded.layer = Array(path.dropLast())
    folded.role = .other("\(stem)_\(tensor.role)")
    return folded
  }

  // MARK: - Shapes

  private func matchByShape(
    _ groups: [LayerGroup], claimed: Set<Int>, isLenient: Bool, into match: inout Match
  ) throws(CheckpointError) {
    guard !groups.isEmpty else { return }
    let free = network.nodes.indices.filter { !claimed.contains($0) && hasParameters($0) }
    let candidates = groups.map { group in free.filter { fits(group, $0) } }
    let isAligned = groups.count == free.count && zip(groups, free).allSatisfy { fits($0, $1) }
    for (index, group) in groups.enumerated() {
      let rivals = candidates.enumerated().filter { $0.offset != index }.flatMap(\.element)
      if candidates[index].count == 1, !rivals.contains(candidates[index][0]) {
        assign(group, to: candidates[index][0], in: &match.table)
        match.withoutName.append(group.name)
      } else if isAligned {
        assign(group, to: free[index], in: &match.table)
        match.withoutName.append(group.name)
      } else if isLenient {
        match.leftOver += group.tensors
      } else if candidates[index].isEmpty {
        throw unmatched(group)
      } else {
        throw ambiguity(group, candidates[index])
      }
    }
  }

  private func hasParameters(_ index: Int) -> Bool {
    let node = network.nodes[index]
    return node.layer is Convolution || node.layer is CustomLayer || node.layer is Recurrent
      || node.layer is Attention || node.layer is Normalization
      || !node.layer.parameters(input: node.inputShape ?? []).isEmpty
  }

  /// Whether every tensor of the group can be a parameter of the node.
  private func fits(_ group: LayerGroup, _ index: Int) -> Bool {
    let node = network.nodes[index]
    guard hasParameters(index) else { return false }
    let stated = node.layer.parameters(input: node.inputShape ?? [])
    return group.tensors.allSatisfy { tensor in
      let role = self.role(of: tensor, at: index)
      let shape = tensor.tensor.shape
      if let known = known?[index, role] {
        return known.shape == shape || known.shape.sorted() == shape.sorted()
      }
      if let expected = stated[role] {
        return Self.agree(shape, expected) || Self.agree(shape.reversed(), expected)
      }
      return !(node.layer is Dense) && !(node.layer is Embedding)
        && Self.plausible(shape, role, node.layer)
    }
  }

  private static func agree(_ shape: [Int], _ expected: Shape) -> Bool {
    shape.count == expected.count && zip(shape, expected).allSatisfy { $1 == nil || $0 == $1 }
  }

  private static func plausible(_ shape: [Int], _ role: ParameterRole, _ layer: any Layer) -> Bool {
    guard let convolution = layer as? Convolution else { return true }
    switch role {
    case .weight: return shape.count == convolution.kernel.count + 2
    case .bias: return shape.count == 1
    default: return true
    }
  }

  // MARK: - Roles and axis order

  /// What the layer itself calls a parameter that the file names.
  private func role(of tensor: NamedTensor, at index: Int) -> ParameterRole {
    network.nodes[index].layer.ownRole(for: tensor.role)
  }

  private func assign(_ group: LayerGroup, to index: Int, in table: inout ParameterTable) {
    for tensor in group.tensors { table[index, role(of: tensor, at: index)] = tensor.tensor }
  }

  /// The axis order that the dense weights show; the stated one where all of them are square.
  private func convention(of table: ParameterTable) -> ParameterTable.Convention {
    var votes = 0
    for (index, node) in network.nodes.enumerated() {
      guard let dense = node.layer as? Dense, let weight = table[index, .weight],
        weight.shape.count == 2, weight.shape[0] != weight.shape[1]
      else { continue }
      votes += weight.shape[0] == dense.outputs ? 1 : -1
    }
    return votes == 0 ? table.convention : votes > 0 ? .channelsFirst : .channelsLast
  }
}

// MARK: - Errors

extension ParameterMatcher {
  private func ambiguity(_ group: LayerGroup, _ candidates: [Int]) -> CheckpointError {
    CheckpointError(
      .ambiguous(
        name: group.name, shape: group.tensors.first?.tensor.shape ?? [],
        candidates: candidates.map { "'\(network.nodes[$0].name)'" }), file: file,
      object: group.tensors.first?.path)
  }

  private func misfit(_ group: LayerGroup, _ index: Int) -> CheckpointError {
    let node = network.nodes[index]
    let stated = node.layer.parameters(input: node.inputShape ?? [])
    let wrong =
      group.tensors.first { tensor in
        let role = self.role(of: tensor, at: index)
        let expected = known?[index, role]?.shape.map { Optional($0) } ?? stated[role]
        return expected.map {
          !Self.agree(tensor.tensor.shape, $0) && !Self.agree(tensor.tensor.shape.reversed(), $0)
        } ?? true
      } ?? group.tensors[0]
    let role = self.role(of: wrong, at: index)
    let expected = known?[index, role]?.shape.map { Optional($0) } ?? stated[role]
    let need = expected.map { "of shape \($0.text)" } ?? "that has no such parameter"
    return CheckpointError(
      .unmatched(
        name: group.name, shape: wrong.tensor.shape,
        nearest: "'\(node.name)' (\(node.layer.kind)) \(need)"), file: file, object: wrong.path)
  }

  private func unmatched(_ group: LayerGroup) -> CheckpointError {
    let name = group.path.last?.lowercased() ?? ""
    let nearest = network.nodes.map(\.name)
      .filter { $0.lowercased().contains(name) || name.contains($0.lowercased()) }.first
    return CheckpointError(
      .unmatched(
        name: group.name, shape: group.tensors.first?.tensor.shape ?? [],
        nearest: nearest.map { "'\($0)'" }), file: file, object: group.tensors.first?.path)
  }
}
