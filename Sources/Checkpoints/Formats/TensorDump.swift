internal import Networks
internal import Tensors

/// Tensors under names and nothing else: PyTorch `state_dict` dumps, Flax trees, Flower arrays.
///
/// - Names may be flat with dots or nested groups, below a wrapper such as `state_dict`, or mere
///   positions.
/// - Groups called `gradients`, `update`, `optimizer…`, `step_3`, `client_0` say what lies below; bare
///   tensors are what the caller asked for: weights in a model file, gradients in a gradient file.
struct TensorDump: CheckpointFormat {
  static let name = "tensor-dump"

  func recognises(_ file: ParsedFile) -> Bool { true }

  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    let container = file.container
    let bare: GradientRecords.Section = file.role == .gradient ? .gradient : .parameters
    var places = container.datasetPaths.map { path in
      SectionedPath(path) ?? SectionedPath(path: path, section: bare, label: "", name: path)
    }
    let hasGradients = places.contains { $0.section == .gradient || $0.section == .update }
    if file.role == .gradient, !hasGradients {
      for index in places.indices where places[index].section == .parameters {
        places[index].section = .gradient
      }
    }
    func select(_ section: GradientRecords.Section) -> [SectionedPath] {
      places.filter { $0.section == section && Self.isWeights($0.path, container) }
    }
    var contents = Contents(format: Self.name, convention: .channelsLast)
    contents.facts = ExchangeFacts(attributesOf: "", in: container)
    contents.gradients =
      GradientRecords.records(select(.gradient), in: container, facts: contents.facts)
      + GradientRecords.records(select(.update), in: container, facts: contents.facts)
    let labels = Set(select(.parameters).map(\.label)).sorted(by: NaturalOrder.precedes)
    guard labels.count <= 1 else {
      throw CheckpointError(.severalSets(labels: labels), file: file.path)
    }
    contents.parameters = GradientRecords.tensors(select(.parameters), in: container)
    contents.optimizer = Self.optimizer(
      places.filter { $0.section == .optimizer }, in: container)
    contents.truth =
      Truth(in: container, below: "truth/")
      ?? (file.role.isOfSamples
        ? Truth(in: container, below: "") : nil)
    contents.convention = Self.convention(
      of: contents.parameters + contents.gradients.flatMap(\.tensors)
        + (contents.optimizer?.slots.map(\.tensor) ?? []))
    contents.noteUnread(container)
    if !file.role.isOfSamples, !places.isEmpty,
      places.allSatisfy({ ["inputs", "labels"].contains($0.path) })
    {
      throw CheckpointError(
        .nothingInside(detail: "it holds samples and labels only, as a file for --truth does"),
        file: file.path)
    }
    if contents.isEmpty, contents.truth == nil {
      let refusal =
        contents.omissions.first.map { "; '\($0.path)' was not read: \($0.reason)" } ?? ""
      throw CheckpointError(
        .nothingInside(detail: "no dataset holds weights or gradients\(refusal)"), file: file.path)
    }
    return contents
  }

  /// Counters, seeds and scalars are no weights.
  private static func isWeights(_ path: String, _ container: Container) -> Bool {
    guard case .numbers(let tensor, let isInteger) = container.datasets[path] else { return false }
    return !isInteger && !tensor.shape.isEmpty
  }

  /// Keras and Flax say `kernel`, PyTorch says `weight`; nameless arrays say it by their biases.
  private static func convention(of tensors: [NamedTensor]) -> ParameterTable.Convention {
    if tensors.contains(where: { $0.path.lowercased().contains("kernel") }) { return .channelsLast }
    let isNamed = tensors.contains { $0.path.lowercased().contains("weight") }
    if isNamed { return .channelsFirst }
    var votes = 0
    for bias in tensors where bias.role == .bias {
      guard
        let weight = tensors.first(where: { $0.role == .weight && $0.layer == bias.layer }),
        weight.tensor.shape.first != weight.tensor.shape.last
      else { continue }
      votes += weight.tensor.shape.first == bias.tensor.count ? 1 : -1
    }
    return votes < 0 ? .channelsLast : .channelsFirst
  }
}

// MARK: - Optimiser state

extension TensorDump {
  /// PyTorch: `state/0/exp_avg`; Optax: `0/mu/Dense_0/kernel`.
  private static func optimizer(
    _ places: [SectionedPath], in container: Container
  ) -> OptimizerState? {
    guard !places.isEmpty else { return nil }
    var state = OptimizerState(name: "optimizer", slots: [])
    var positional: [OptimizerSummary.Slot: [(path: String, tensor: Tensor)]] = [:]
    for place in places {
      guard case .numbers(let tensor, let isInteger) = container.datasets[place.path] else {
        continue
      }
      let parts = place.name.split { $0 == "/" || $0 == "." }.map(String.init)
      guard tensor.count > 1 || !tensor.shape.isEmpty && !isInteger else {
        state.take(parts.last ?? "", tensor)
        continue
      }
      guard let index = parts.lastIndex(where: { slot(named: $0) != nil }),
        let slot = slot(named: parts[index])
      else { continue }
      state.name = name(of: parts[index], had: state.name)
      let parameter = parts[(index + 1)...].joined(separator: "/")
      if parameter.isEmpty {
        positional[slot, default: []].append((place.path, tensor))
      } else {
        state.slots.append(
          (slot, NamedTensor(path: place.path, name: parameter, tensor: tensor)))
      }
    }
    if state.steps == nil, let counter = container.tensor("step") { state.take("step", counter) }
    for slot in positional.keys.sorted() {
      state.slots += NamelessTensors.pair(positional[slot, default: []]).map { (slot, $0) }
    }
    return state
  }

  private static func slot(named name: String) -> OptimizerSummary.Slot? {
    switch name {
    case "exp_avg", "mu", "m", "first_moment": .firstMoment
    case "exp_avg_sq", "nu", "square_avg", "v", "second_moment": .secondMoment
    case "momentum_buffer", "trace", "momentum": .momentum
    case "grad_avg", "acc_grads", "accumulated_gradient": .accumulatedGradient
    case "max_exp_avg_sq": .other
    default: nil
    }
  }

  private static func name(of slot: String, had name: String) -> String {
    switch slot {
    case "exp_avg", "exp_avg_sq", "mu", "nu": "adam"
    case "momentum_buffer", "trace": name == "adam" ? name : "sgd"
    default: name
    }
  }
}

extension OptimizerState {
  fileprivate mutating func take(_ name: String, _ tensor: Tensor) {
    guard tensor.count == 1 else { return }
    if name == "step" || name == "count" || name == "iteration" {
      steps = steps ?? Int(exactly: tensor[0]).flatMap { $0 >= 0 ? $0 : nil }
    } else if name == "lr" || name == "learning_rate" {
      learningRate = tensor[0]
    }
  }
}
