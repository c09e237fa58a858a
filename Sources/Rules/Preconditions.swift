internal import AuditModel
internal import Networks

/// Sentences that several rules share.
extension Subject {
  /// What a finding says about who is exposed by what.
  var disclosure: String {
    if let optimizer, optimizer.steps != 0, optimizer.slots.contains(where: \.isLinearInGradients) {
      return "The weights alone disclose no input; gradients, updates or fresh optimiser state do, "
        + "and this file carries optimiser state."
    }
    return
      "The checkpoint alone discloses no input; its gradients, updates or fresh optimiser state do"
      + (hasGradient ? ", and this audit was given one." : ".")
  }

  /// The start of a statement that holds only if the architecture is as guessed.
  func reservation(capitalized text: String) -> String {
    guard network.origin == .inferred else { return text }
    return "If nothing but reshaping lies in front of it, "
      + text.prefix(1).lowercased() + text.dropFirst()
  }

  /// What must hold so that the layer's input is the model's input.
  func preconditions(of site: DenseSite, path: InputPath) -> [String] {
    var sentences: [String] = []
    if network.origin == .inferred {
      sentences.append(
        "Nothing but reshaping lies in front of '\(site.name)'; the names and shapes of parameters "
          + "do not tell.")
    }
    for index in path.nodes {
      let node = network.nodes[index]
      guard let dropout = node.layer as? Dropout, dropout.rate > 0 else { continue }
      sentences.append(
        "'\(node.name)' is inactive; in training only the entries it lets through are disclosed.")
    }
    if site.use == .unknown {
      sentences.append("Every sample passes '\(site.name)' once, as a vector.")
    }
    return sentences
  }

  /// The numbers every finding about a dense layer carries.
  func measurements(of site: DenseSite) -> [Finding.Measurement] {
    var numbers: [Finding.Measurement] = []
    if let inputs = site.inputs { numbers.append(.init("inputs", "\(inputs)")) }
    numbers.append(.init("units", "\(site.outputs)"))
    if case .oncePerPosition(let positions?) = site.use {
      numbers.append(.init("positions per sample", "\(positions)"))
    }
    return numbers
  }
}
