package import Networks
package import Tensors

/// Optimiser state as the Keras writers of all generations store it.
package enum KerasOptimizer {
  /// State in a legacy file: `optimizer_weights` with `weight_names`.
  package static func named(in container: Container, configuration: String?) -> OptimizerState? {
    let root = "optimizer_weights"
    guard let names = container.texts("weight_names", of: root), !names.isEmpty else { return nil }
    var state = OptimizerState(
      name: declaredName(configuration) ?? names[0].components.first.map(String.init)
        ?? "optimizer",
      slots: [])
    var nameless: [(path: String, tensor: Tensor)] = []
    for name in names {
      let path = root + "/" + name
      guard case .numbers(let tensor, let isInteger) = container.datasets[path] else { continue }
      if tensor.count == 1, tensor.shape.isEmpty || isInteger {
        state.take(scalar: tensor[0], isInteger: isInteger, name: name)
      } else if let (slot, parameter) = slot(in: name) {
        state.slots.append(
          (slot, NamedTensor(path: path, name: parameter, tensor: tensor)))
      } else {
        nameless.append((path, tensor))
      }
    }
    state.slots += numbered(nameless, optimizer: state.name)
    return state
  }

  /// State in a `.weights.h5` file: `optimizer/vars/0`, `1`, ….
  package static func numbered(in container: Container, configuration: String?) -> OptimizerState? {
    let root = "optimizer/vars"
    let names = container.names(in: root)
    guard !names.isEmpty else { return nil }
    var state = OptimizerState(
      name: container.text("name", of: root) ?? declaredName(configuration) ?? "optimizer",
      slots: [])
    var arrays: [(path: String, tensor: Tensor)] = []
    for name in names {
      let path = root + "/" + name
      guard case .numbers(let tensor, let isInteger) = container.datasets[path] else { continue }
      if tensor.shape.isEmpty {
        state.take(scalar: tensor[0], isInteger: isInteger || name == "0", name: name)
      } else {
        arrays.append((path, tensor))
      }
    }
    state.slots = numbered(arrays, optimizer: state.name)
    return state.steps == nil && state.slots.isEmpty ? nil : state
  }

  private static func declaredName(_ configuration: String?) -> String? {
    let json = configuration.flatMap { JSONValue(untrusted: $0) }
    let optimizer =
      json?["optimizer_config"] ?? json?["optimizer"] ?? json?["compile_config"]?["optimizer"]
    return optimizer?["class_name"]?.string
  }

  /// Splits a slot variable's name into slot and parameter.
  ///
  /// - `Adam/m/conv/kernel:0` (Keras 2.11), `Adam/dense_1/kernel/m:0` (Keras 2.0–2.10),
  ///   `adam/mlp_fc1_kernel_momentum` (Keras 3; slashes of the parameter became underscores).
  private static func slot(in name: String) -> (OptimizerSummary.Slot, String)? {
    let bare = name.split(separator: ":").first.map(String.init) ?? name
    let parts = bare.components.map(String.init)
    let optimizer = parts.first?.lowercased() ?? ""
    if parts.count >= 4, let slot = slot(named: parts[1], of: optimizer) {
      return (slot, parts.dropFirst(2).joined(separator: "/"))
    }
    if parts.count >= 3, let last = parts.last, let slot = slot(named: last, of: optimizer) {
      return (slot, parts.dropFirst().dropLast().joined(separator: "/"))
    }
    guard parts.count == 2 else { return nil }
    for (suffix, slot) in suffixes(of: optimizer) where parts[1].hasSuffix("_" + suffix) {
      let parameter = parts[1].dropLast(suffix.count + 1)
      guard let cut = parameter.lastIndex(of: "_") else { continue }
      return (slot, "\(parameter[..<cut])/\(parameter[parameter.index(after: cut)...])")
    }
    return nil
  }

  private static func slot(named name: String, of optimizer: String) -> OptimizerSummary.Slot? {
    switch name {
    case "m": family(of: optimizer) ?? .firstMoment
    case "momentum": family(of: optimizer) ?? .momentum
    case "v", "vhat", "rms", "velocity": .secondMoment
    default: nil
    }
  }

  /// What an optimiser's signed slot is; `nil` if its name does not tell.
  ///
  /// RMSprop, Adagrad and their like divide by a running size before they add up: their momentum is
  /// no multiple of the gradient, and equal ratios in it mean nothing.
  private static func family(of optimizer: String) -> OptimizerSummary.Slot? {
    let name = optimizer.lowercased().replacing("custom>", with: "").replacing("_", with: "")
    if name.hasPrefix("sgd") { return .momentum }
    if name.hasPrefix("adam") || name.hasPrefix("nadam") || name.hasPrefix("lamb") {
      return .firstMoment
    }
    return name.hasPrefix("rms") || name.hasPrefix("ada") || name.hasPrefix("ftrl") ? .other : nil
  }

  private static func suffixes(of optimizer: String) -> [(String, OptimizerSummary.Slot)] {
    [
      ("momentum", family(of: optimizer) ?? .firstMoment), ("velocity_hat", .other),
      ("velocity", .secondMoment), ("average_gradient", .accumulatedGradient),
      ("gradient_accumulator", .accumulatedGradient),
    ]
  }

  /// Slots without names: either slot by slot per parameter, or parameter by parameter per slot.
  ///
  /// Both orders can fit the shapes; a second moment is never negative, which decides.
  package static func numbered(
    _ arrays: [(path: String, tensor: Tensor)], optimizer: String
  ) -> [(slot: OptimizerSummary.Slot, tensor: NamedTensor)] {
    let shapes = arrays.map(\.tensor.shape)
    let pairing = SlotPairing(shapes)
    let (half, alternates, halves) = (pairing.count / 2, pairing.alternates, pairing.isHalved)
    func isNonNegative(_ indices: [Int]) -> Bool {
      indices.allSatisfy { index in
        let tensor = arrays[index].tensor
        return (0..<min(tensor.count, 256)).allSatisfy { !(tensor[$0] < 0) }
      }
    }
    let odd = (0..<half).map { 2 * $0 + 1 }
    let upper = Array(half..<(2 * half))
    let first: [Int]
    let second: [Int]
    let (even, lower) = ((0..<half).map { 2 * $0 }, Array(0..<half))
    if alternates, isNonNegative(odd) {
      (first, second) = (even, odd)
    } else if halves, isNonNegative(upper) {
      (first, second) = (lower, upper)
    } else if alternates, isNonNegative(even) {
      (first, second) = (odd, even)
    } else if halves, isNonNegative(lower) {
      (first, second) = (upper, lower)
    } else {
      (first, second) = (Array(arrays.indices), [])
    }
    let isSquares = second.isEmpty && isNonNegative(first)
    let slot: OptimizerSummary.Slot =
      isSquares
      ? .secondMoment : family(of: optimizer) ?? (second.isEmpty ? .momentum : .firstMoment)
    func named(_ indices: [Int]) -> [NamedTensor] {
      NamelessTensors.pair(indices.map { (arrays[$0].path, arrays[$0].tensor) })
    }
    return named(first).map { (slot, $0) }
      + named(second).map { (.secondMoment, $0) }
  }
}

extension OptimizerState {
  fileprivate mutating func take(scalar: Double, isInteger: Bool, name: String) {
    if isInteger || name.lowercased().contains("iter") {
      steps = steps ?? Int(exactly: scalar).flatMap { $0 >= 0 ? $0 : nil }
    } else if name.contains("learning_rate") || name == "1" {
      learningRate = scalar.isFinite && scalar > 0 ? scalar : nil
    }
  }
}

/// How a list of shapes falls into two slots per parameter.
private struct SlotPairing {
  /// Number of leading arrays that are slots.
  var count: Int
  /// Whether both slots of a parameter stand side by side.
  var alternates = false
  /// Whether all first slots come before all second ones.
  var isHalved = false

  /// Keras 2 wrote one-element placeholders for the slot of AMSGrad at the end; how many of the
  /// trailing one-element arrays are placeholders follows from the pairing.
  init(_ shapes: [[Int]]) {
    count = shapes.count
    let trailing = shapes.reversed().prefix { $0 == [1] }.count
    for dropped in (0...trailing).reversed() where (shapes.count - dropped) % 2 == 0 {
      let half = (shapes.count - dropped) / 2
      guard half > 0 else { continue }
      alternates = (0..<half).allSatisfy { shapes[2 * $0] == shapes[2 * $0 + 1] }
      isHalved = (0..<half).allSatisfy { shapes[$0] == shapes[half + $0] }
      count = 2 * half
      if alternates || isHalved { return }
    }
  }
}
