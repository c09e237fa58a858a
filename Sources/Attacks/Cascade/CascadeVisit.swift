internal import AuditModel
internal import Networks
internal import Tensors

extension CascadeWalk {
  /// Finds the loss gradient of a value, and its entries where the layer below needs them.
  func visit(_ source: Network.Source) throws(CascadeStop) {
    let readers = readers(of: source)
    if let outsider = readers.first(where: { !nodes.contains($0) }) {
      throw CascadeStop(
        "\(name(source)) is also read by '\(network.nodes[outsider].name)', whose gradient is not "
          + "known", at: outsider)
    }
    if let pool = readers.first(where: { isMaximum($0) }), gradients[source] == nil {
      try leapOverMaximum(source, pool)
      return
    }
    if gradients[source] == nil { try gather(source, readers) }
    if maps[source]?.isComplete != true, needsValue(source) {
      do throws(CascadeStop) {
        try determine(source, readers)
      } catch {
        guard let suspicion else { throw error }
        withdraw(.node(suspicion.activation))
        throw contradiction(suspicion.channels.count, at: suspicion.activation)
      }
    }
    if suspicion != nil, maps[source]?.isComplete == true { try repairIfPossible() }
    if case .node(let node) = source, isMaximum(node) { lookFor(source, readers) }
  }

  /// Solves for the maxima that leave a pooling, where that is possible.
  ///
  /// Nothing on the way down needs them, but least squares starts from them where the winners are not
  /// found: they are the deepest map then, and hardly one of them is zero.
  private func lookFor(_ source: Network.Source, _ readers: [Int]) {
    guard maps[source]?.isComplete != true, suspicion == nil else { return }
    let (open, before) = (openSource, steps.count)
    do throws(CascadeStop) {
      try determine(source, readers)
    } catch {
      openSource = open
      // What failed before any solve has no row.
      guard steps.count > before, let last = steps.indices.last else { return }
      steps[last].outcome = .gradientOnly
      steps[last].note = "its loss gradient is known, its values are not"
    }
  }

  private func isMaximum(_ node: Int) -> Bool {
    if case .maximum = linearity(node) { true } else { false }
  }

  /// Whether the layer below needs the entries themselves.
  private func needsValue(_ source: Network.Source) -> Bool {
    guard case .node(let node) = source else { return true }
    if case .elementwise = linearity(node) { return true }
    return false
  }

  /// The loss gradient of a value from those of the layers that read it.
  func gather(_ source: Network.Source, _ readers: [Int]) throws(CascadeStop) {
    var total: [Double]?
    var error = 0.0
    for reader in readers {
      let part = try pulled(through: reader, to: source)
      error = max(error, gradientErrors[.node(reader)] ?? 0)
      total = total.map { zip($0, part).map { $0 + $1 } } ?? part
    }
    guard let total else { throw CascadeStop("nothing reads \(name(source))") }
    gradients[source] = total
    gradientErrors[source] = max(error, gradientErrors[source] ?? 0)
  }

  private func pulled(
    through reader: Int, to source: Network.Source
  ) throws(CascadeStop) -> [Double] {
    guard let arriving = gradients[.node(reader)] else {
      throw CascadeStop(
        "the loss gradient behind '\(network.nodes[reader].name)' is not known", at: reader)
    }
    switch linearity(reader) {
    case .elementwise(let function):
      return try scaled(arriving, by: function, at: reader)
    case .entrywiseAffine, .rearrangement, .sum, .affine:
      let segment = try layer(reader)
      segment.linearizeAnywhere()
      let parts = try segment.pull(arriving)
      guard let place = network.nodes[reader].distinctSources.firstIndex(of: source) else {
        throw CascadeStop("'\(network.nodes[reader].name)' does not read it", at: reader)
      }
      return parts[place]
    case .maximum, .unknown:
      throw CascadeStop(
        "no closed form leads through '\(network.nodes[reader].name)' "
          + "(\(network.nodes[reader].layer.kind))", at: reader)
    }
  }

  /// `h̄ ⊙ φ′`, with the slopes that the known outputs determine.
  private func scaled(
    _ arriving: [Double], by function: ActivationFunction, at node: Int
  ) throws(CascadeStop) -> [Double] {
    guard let map = maps[.node(node)], map.isComplete else {
      throw CascadeStop("the output of '\(network.nodes[node].name)' is not known", at: node)
    }
    var (ambiguous, missed, total) = (0, 0.0, 0.0)
    var result = arriving
    for index in arriving.indices {
      let y = map.values[index]
      guard let slope = function.slope(knownOutput: y) else {
        ambiguous += 1
        continue
      }
      result[index] *= slope
      let moved = function.slope(knownOutput: y + map.errors[index]) ?? slope
      let change = (moved - slope) * arriving[index]
      if function.isSmooth { missed += change * change }
      total += result[index] * result[index]
    }
    guard ambiguous == 0 else {
      throw CascadeStop(
        "\(ambiguous) of \(arriving.count) outputs of \(function.name) at "
          + "'\(network.nodes[node].name)' have two possible inputs", at: node)
    }
    if let levels = function.levels {
      let wrong = correctSigns(of: &result, arriving: arriving, at: node, levels)
      if !wrong.isEmpty {
        let below = foundations(directlyBelow: node)
        guard suspicion == nil, !below.isEmpty else {
          withdraw(.node(node))
          throw contradiction(wrong.count, at: node)
        }
        suspicion = Suspicion(activation: node, foundations: below, channels: wrong)
      }
    }
    let own = total > 0 ? (missed / total).squareRoot() : 0
    let source = network.nodes[node].sources[0]
    let error = gradientErrors[.node(node)] ?? 0
    gradientErrors[source] = (error * error + own * own).squareRoot()
    return result
  }
}
