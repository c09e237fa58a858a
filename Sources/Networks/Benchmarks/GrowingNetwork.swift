/// A network in the making: every layer reads what was added before it unless told otherwise.
///
/// Convolutions, poolings and normalisations are declared channels-first, as in PyTorch.
struct GrowingNetwork {
  private(set) var nodes: [Network.Node] = []
  /// What the next layer reads.
  var last = Network.Source.input(0)

  /// Adds a layer behind ``last``, or behind `sources`.
  mutating func add(_ name: String, _ layer: any Layer, reading sources: [Network.Source] = []) {
    nodes.append(
      Network.Node(name: name, layer: layer, sources: sources.isEmpty ? [last] : sources))
    last = .node(nodes.count - 1)
  }

  /// A square convolution with the same zeros on both sides.
  mutating func convolution(
    _ name: String, _ filters: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    hasBias: Bool = false
  ) {
    add(
      name,
      Convolution(
        filters: filters, kernel: [kernel, kernel], stride: [stride, stride],
        padding: .explicit([padding, padding]), hasBias: hasBias, channelsFirst: true))
  }

  /// Batch normalisation of the channel axis.
  mutating func batchNormalization(_ name: String) { add(name, BatchNormalization(axis: 0)) }

  mutating func relu(_ name: String) { add(name, Activation(.relu)) }

  /// The network of what was added.
  func network(_ name: String, input: Shape) -> Network {
    Network(name, inputShapes: [input], nodes: nodes)
  }
}
