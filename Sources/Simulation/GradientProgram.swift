internal import Networks
internal import TensorIR
internal import Tensors

/// The gradient of a network's loss, compiled once for each number of samples.
struct GradientProgram {
  private let network: Network
  private let weights: ParameterTable
  private let backend: any Backend
  private let loss: Loss
  private var compiled: [Int: Compiled] = [:]

  /// One program with what it takes and gives.
  private struct Compiled {
    let graph: GradientGraph
    let program: any CompiledProgram
    /// Classes, or 1 for a single output.
    let outputs: Int
  }

  /// - Parameters:
  ///   - network: With one input.
  ///   - weights: What holds the running statistics, which stay as they are.
  ///   - loss: The mean over the samples.
  ///   - backend: What runs it, in double precision.
  init(_ network: Network, weights: ParameterTable, loss: Loss, backend: any Backend) {
    self.network = network
    self.weights = weights
    self.loss = loss
    self.backend = backend
  }

  /// Trainable parameters, in node order.
  mutating func parameters(samples: Int) throws(SimulationError) -> [GraphParameter] {
    try program(samples).graph.parameters.map(\.parameter)
  }

  /// - Returns: The loss, and one gradient per parameter in the graph's axis order.
  /// - Throws: ``SimulationError`` if the samples do not fit the network.
  mutating func gradient(
    at weights: [[Double]], _ data: ClientData, _ samples: Range<Int>
  ) throws(SimulationError) -> (loss: Double, gradients: [[Double]]) {
    let compiled = try program(samples.count)
    for (parameter, elements) in zip(compiled.graph.parameters, weights) {
      compiled.program.bind(elements, to: parameter.parameter.name)
    }
    try bindSamples(data, samples, compiled)
    do throws(BackendError) {
      try compiled.program.run()
    } catch {
      throw SimulationError(.backend(error))
    }
    return (
      compiled.program.elements(of: "loss")[0],
      compiled.graph.parameters.map {
        compiled.program.elements(of: "gradient/" + $0.parameter.name)
      }
    )
  }

  private func bindSamples(
    _ data: ClientData, _ samples: Range<Int>, _ compiled: Compiled
  ) throws(SimulationError) {
    let input = compiled.graph.inputs[0]
    let shape = Array(data.inputs.shape.dropFirst())
    guard shape == Array(input.type.shape.dropFirst()) else {
      throw SimulationError(.inputShape(shape, needed: network.inputShapes[0]))
    }
    let elements = data.elements(samples)
    let width = elements.count / samples.count
    if input.type.element == .index, let tokens = tokens,
      let place = elements.firstIndex(where: { token in
        Int(exactly: token).map { !(0..<tokens).contains($0) } ?? true
      })
    {
      throw SimulationError(
        .token(elements[place], sample: samples.lowerBound + place / width, tokens: tokens))
    }
    compiled.program.bind(elements, to: compiled.graph.graph.inputName(input))
    compiled.program.bind(
      try targets(data, samples, compiled.outputs),
      to: compiled.graph.graph.inputName(compiled.graph.target))
  }

  /// One distribution over the classes for each sample, or the share of class 1.
  private func targets(
    _ data: ClientData, _ samples: Range<Int>, _ outputs: Int
  ) throws(SimulationError) -> [Double] {
    let classes = max(outputs, 2)
    var targets: [Double] = []
    for sample in samples {
      let label = data.labels[sample]
      guard label < classes else {
        throw SimulationError(.label(Double(label), sample: sample, classes: classes))
      }
      targets += Loss.target(label, outputs: outputs)
    }
    return targets
  }

  /// The smallest table that reads the tokens of the input.
  private var tokens: Int? {
    network.nodes.compactMap { ($0.layer as? Embedding)?.tokens }.min()
  }

  private mutating func program(_ samples: Int) throws(SimulationError) -> Compiled {
    if let known = compiled[samples] { return known }
    let graph: GradientGraph
    do throws(UnsupportedLayer) {
      graph = try network.gradientGraph(samples: samples, loss: loss)
    } catch {
      throw SimulationError(.layer(error))
    }
    let output = graph.output.type.shape
    let needed: Loss.Comparison =
      output.last == 1 ? .binaryCrossEntropy : .softmaxCrossEntropy
    guard output.count == 2, loss.comparison == needed else {
      throw SimulationError(
        .loss(name: network.loss ?? "not stated", outputs: Array(output.dropFirst())))
    }
    let program: any CompiledProgram
    do throws(BackendError) {
      program = try backend.compile(graph.graph, in: .double)
    } catch {
      throw SimulationError(.backend(error))
    }
    do throws(ParameterMismatch) {
      let constants = try network.elements(of: graph.constants, from: weights)
      for (parameter, elements) in zip(graph.constants, constants) {
        program.bind(elements, to: parameter.name)
      }
    } catch {
      throw SimulationError(.parameter(error))
    }
    let new = Compiled(graph: graph, program: program, outputs: output[1])
    compiled[samples] = new
    return new
  }
}
