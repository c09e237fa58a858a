import Attacks
import CPUBackend
import LinearAlgebra
import Networks
import TensorIR

/// All equations for one map of a network under each other, written down entry by entry.
struct StackedEquations {
  /// What every node gives, and the loss gradient there.
  let values: [[Double]]
  let gradients: [[Double]]
  let input: [Double]
  private let network: Network
  private let parameters: [ParameterTable.Key: [Double]]
  private let shapes: [[Int]]

  /// One sample as the analysis draws it.
  ///
  /// - Parameters:
  ///   - network: Declared with the channels last, ending in logits.
  ///   - weights: Of the network.
  /// - Throws: If the graph cannot be built or run.
  init(_ network: Network, weights: ParameterTable) throws {
    self.network = network
    let parts = try network.graph(samples: 1)
    var graph = parts.graph
    let last = network.nodes.count - 1
    let maps = network.nodes.indices.map { parts.featureMaps[$0]?.value }.compactMap { $0 }
    let cotangent = graph.input("cotangent", maps[last].type)
    // One by one: together, each would count as independent of the others.
    let slopes = maps[..<last].map {
      graph.pullback(of: [(maps[last], cotangent)], to: [$0])[0]
    }
    for (node, map) in maps.enumerated() { graph.output("value/\(node)", map) }
    for (node, slope) in slopes.enumerated() { graph.output("slope/\(node)", slope) }
    let program = try CPUBackend(threads: 1).compile(graph, in: .double)
    let elements = try network.elements(of: parts.parameters, from: weights)
    for (parameter, elements) in zip(parts.parameters, elements) {
      program.bind(elements, to: parameter.name)
    }
    parameters = Dictionary(uniqueKeysWithValues: zip(parts.parameters.map(\.key), elements))
    input = Invertibility.plausibleInput(network.inputShapes[0].compactMap { $0 })
    program.bind(input, to: "input")
    program.bind(Array(repeating: 0, count: cotangent.type.elementCount), to: "cotangent")
    try program.run()
    let logits = program.elements(of: "value/\(last)")
    let head = Invertibility.lossGradient(logits, classes: logits.count)
    program.bind(head, to: "cotangent")
    try program.run()
    values = maps.indices.map { program.elements(of: "value/\($0)") }
    gradients = slopes.indices.map { program.elements(of: "slope/\($0)") } + [head]
    shapes = maps.map { Array($0.type.shape.dropFirst()) }
  }

  /// Row after row, each over all entries of what the layer reads.
  ///
  /// - Parameters:
  ///   - node: A convolution or a dense layer over a vector.
  ///   - isKnown: Which of its outputs are known.
  /// - Returns: The gradient equations, then those of the known outputs.
  func rows(of node: Int, knowing isKnown: (Int) -> Bool = { _ in false }) -> [[Double]] {
    let layer = Kernel(network.nodes[node], output: shapes[node])
    let count = layer.inputs * layer.places.reduce(1, *)
    let weight = parameters[.init(node: node, role: .weight)] ?? []
    let groupInputs = layer.inputs / layer.groups
    let groupOutputs = layer.outputs / layer.groups
    var gradientRows: [[Double]] = []
    var forwardRows = Array(
      repeating: Array(repeating: 0.0, count: count), count: values[node].count)
    for tap in layer.taps {
      for output in 0..<layer.outputs {
        for inner in 0..<groupInputs {
          let channel = output / groupOutputs * groupInputs + inner
          var row = Array(repeating: 0.0, count: count)
          for (place, position) in layer.positions.enumerated() {
            guard let read = layer.read(position, tap.offset) else { continue }
            let entry = read * layer.inputs + channel
            row[entry] += gradients[node][place * layer.outputs + output]
            forwardRows[place * layer.outputs + output][entry] +=
              weight[(tap.index * groupInputs + inner) * layer.outputs + output]
          }
          gradientRows.append(row)
        }
      }
    }
    return gradientRows + forwardRows.indices.filter(isKnown).map { forwardRows[$0] }
  }

  static func rank(_ rows: [[Double]], relativeTolerance: Double) throws -> Int {
    try SingularValueDecomposition(matrix(rows)).rank(relativeTolerance: relativeTolerance)
  }

  static func matrix(_ rows: [[Double]]) -> DenseMatrix {
    DenseMatrix(
      rows: rows.first?.count ?? 0, columns: rows.count, elements: rows.flatMap { $0 }
    ).transposed
  }
}

/// A convolution over two axes, or a dense layer as one over a single place.
private struct Kernel {
  var inputs = 0
  var outputs = 0
  var groups = 1
  var places = [1, 1]
  var positions: [[Int]] = [[0, 0]]
  var taps: [(index: Int, offset: [Int])] = [(0, [0, 0])]
  private var stride = [1, 1]
  private var low = [0, 0]

  init(_ node: Network.Node, output: [Int]) {
    let input = (node.inputShape ?? []).compactMap { $0 }
    inputs = input.last ?? 0
    outputs = output.last ?? 0
    guard let layer = node.layer as? Networks.Convolution else { return }
    groups = layer.variant == .depthwise ? inputs : layer.groups
    places = Array(input.dropLast())
    stride = layer.stride
    if case .explicit(let amounts) = layer.padding { low = amounts }
    positions = Self.grid(Array(output.dropLast()))
    taps = Self.grid(layer.kernel).enumerated().map { ($0, $1) }
  }

  /// The place that a tap reads; `nil` in the padding.
  func read(_ position: [Int], _ tap: [Int]) -> Int? {
    let y = position[0] * stride[0] + tap[0] - low[0]
    let x = position[1] * stride[1] + tap[1] - low[1]
    guard y >= 0, y < places[0], x >= 0, x < places[1] else { return nil }
    return y * places[1] + x
  }

  private static func grid(_ extents: [Int]) -> [[Int]] {
    (0..<extents[0]).flatMap { y in (0..<extents[1]).map { [y, $0] } }
  }
}
