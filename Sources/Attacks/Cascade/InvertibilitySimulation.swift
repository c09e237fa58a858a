internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// One sample through a network and back, in `Double`, layer by layer.
final class InvertibilitySimulation {
  let start: InvertibilityStart
  let programs: LayerPrograms
  /// What every node gives, held like the maps.
  private(set) var values: [Network.Source: [Double]] = [:]
  /// The loss gradients behind dense layers and convolutions.
  private(set) var gradients: [Int: [Double]] = [:]

  var network: Network { programs.network }

  /// No sample with more values, over all layers, is simulated.
  private static let valueLimit = 1 << 26
  /// Nor one that takes more multiply-adds forwards.
  private static let workLimit = 1 << 37

  /// - Throws: ``CascadeStop`` if a layer cannot run, or the network is too large.
  init(
    _ programs: LayerPrograms, start: InvertibilityStart, progress: (String) -> Void
  ) throws(CascadeStop) {
    self.programs = programs
    self.start = start
    try Self.checkSize(programs, start)
    progress("a random input forwards and backwards")
    values[.input(0)] = Invertibility.plausibleInput(programs.shape(of: .input(0)))
    for node in start.nodes.sorted() {
      let inputs = network.nodes[node].distinctSources.map { values[$0] ?? [] }
      values[.node(node)] = try value(node, inputs)
    }
    try descend()
  }

  private static func checkSize(
    _ programs: LayerPrograms, _ start: InvertibilityStart
  ) throws(CascadeStop) {
    // Every output of a kernel is a sum of products with the weights that lead to it.
    var products: [Int: Double] = [:]
    for parameter in programs.parameters.values {
      let count = parameter.value.type.shape.dropLast().reduce(1.0) { $0 * Double($1) }
      products[parameter.key.node] = max(products[parameter.key.node] ?? 1, count)
    }
    var (values, work) = (0.0, 0.0)
    for node in start.nodes {
      let count = Double(programs.count(of: .node(node)))
      values += count
      work += count * (products[node] ?? 1)
    }
    guard values <= Double(valueLimit), work <= Double(workLimit) else {
      throw CascadeStop(
        "one sample takes \(values.displayed) values and \(work.displayed) multiply-adds; up to "
          + "\(Double(valueLimit).displayed) and \(Double(workLimit).displayed) are simulated")
    }
  }

  func isKernel(_ node: Int) -> Bool {
    network.nodes[node].layer is Dense || network.nodes[node].layer is Networks.Convolution
  }

  private func descend() throws(CascadeStop) {
    guard let logits = values[.node(start.node)] else { return }
    let classes = programs.shape(of: .node(start.node)).last ?? 1
    var arriving: [Int: [Double]] = [
      start.node: Invertibility.lossGradient(logits, classes: classes)
    ]
    for node in start.nodes.sorted().reversed() {
      guard let gradient = arriving.removeValue(forKey: node) else { continue }
      if isKernel(node) || node == start.node { gradients[node] = gradient }
      let sources = network.nodes[node].distinctSources
      guard sources.contains(where: { if case .node = $0 { true } else { false } }) else {
        continue
      }
      for (source, part) in zip(sources, try pulled(node, sources, gradient)) {
        guard case .node(let before) = source else { continue }
        if var sum = arriving.removeValue(forKey: before) {
          for index in part.indices { sum[index] += part[index] }
          arriving[before] = sum
        } else {
          arriving[before] = part
        }
      }
    }
  }

  private func value(_ node: Int, _ inputs: [[Double]]) throws(CascadeStop) -> [Double] {
    if let matrix = matrix(node) {
      var result = matrix(inputs[0])
      if let bias = programs.weights.bias(node), bias.count == result.count {
        for index in result.indices { result[index] += bias[index] }
      }
      return result
    }
    return try programs.layer(node).value(inputs)
  }

  private func pulled(
    _ node: Int, _ sources: [Network.Source], _ gradient: [Double]
  ) throws(CascadeStop) -> [[Double]] {
    if let matrix = matrix(node) { return [matrix.transposeProduct(gradient)] }
    let segment = try programs.layer(node)
    segment.linearize(at: sources.map { values[$0] ?? [] })
    return try segment.pull(gradient)
  }

  /// The weight of a dense layer over a vector, where it lies: it may be most of a network.
  private func matrix(_ node: Int) -> Matrix? {
    guard network.nodes[node].layer is Dense, network.nodes[node].sources.count == 1,
      let matrix = programs.weights.matrix(node),
      programs.shape(of: network.nodes[node].sources[0]) == [matrix.inputs],
      programs.shape(of: .node(node)) == [matrix.outputs]
    else { return nil }
    return matrix
  }
}
