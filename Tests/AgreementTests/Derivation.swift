import Networks
import TensorIR
import Tensors
import Testing

/// Everything a case compares, as one graph.
///
/// Outputs: `output`, `loss`, `gradient/i` per trainable parameter, `inputGradient/i`, `mixed/i` and
/// `curvature/i` per real input, `parameterCurvature/i` per trainable parameter.
struct Derivation {
  let graph: Graph
  let inputs: [Value]
  let trainable: [GraphParameter]
  let parameters: [GraphParameter]
  let targetType: TensorType

  /// The inputs that are not whole numbers.
  var real: [Int] { inputs.indices.filter { inputs[$0].type.element == .real } }

  init(_ network: Network, of subject: AgreementCase) throws {
    let samples = subject.given["inputs/\(subject.inputNames[0])"]?.shape.first ?? 1
    let output: Value
    let loss: Value
    var graph: Graph
    if let known = subject.loss {
      let derived = try network.gradientGraph(samples: samples, loss: known, mode: subject.mode)
      (graph, output, loss) = (derived.graph, derived.output, derived.loss)
      inputs = derived.inputs
      trainable = derived.parameters.map(\.parameter)
      parameters = trainable + derived.constants
      targetType = derived.target.type
    } else {
      let forward = try network.graph(samples: samples, mode: subject.mode)
      graph = forward.graph
      let last = try #require(forward.featureMaps[network.outputs[0]])
      output = last.declared(in: &graph)
      targetType = output.type
      let scale = graph.input("target", output.type)
      let scaled = graph.apply(Multiply(), scale, output)
      let squares = graph.apply(Multiply(), scaled, scaled)
      let sum = graph.apply(Reduce(.sum, axes: Array(output.type.shape.indices)), squares)
      loss = graph.apply(Multiply(), sum, graph.constant(0.5))
      inputs = forward.inputs
      trainable = forward.trainable
      parameters = forward.parameters
      let gradients = graph.gradient(of: loss, in: trainable.map(\.value))
      for (parameter, gradient) in zip(trainable, gradients) {
        graph.output("gradient/" + parameter.name, gradient)
      }
      graph.output("loss", loss)
    }
    graph.output("output", output)
    let real = inputs.filter { $0.type.element == .real }
    let inputGradients = graph.gradient(of: loss, in: real)
    let gradients = trainable.compactMap { graph.output(named: "gradient/" + $0.name) }
    func direction(_ name: String, _ value: Value) -> Value {
      graph.input("direction/" + name, value.type)
    }
    let alongParameters = Dictionary(
      uniqueKeysWithValues: trainable.map { ($0.value, direction($0.name, $0.value)) })
    let alongInputs = Dictionary(
      uniqueKeysWithValues: real.enumerated().map { ($1, direction("input\($0)", $1)) })
    let mixed = graph.pushforward(of: inputGradients, along: alongParameters)
    let curved = graph.pushforward(of: inputGradients, along: alongInputs)
    let bent = graph.pushforward(of: gradients, along: alongParameters)
    for (index, input) in real.enumerated() {
      graph.output("inputGradient/\(index)", inputGradients[index])
      graph.output("mixed/\(index)", mixed[index] ?? graph.zero(input.type))
      graph.output("curvature/\(index)", curved[index] ?? graph.zero(input.type))
    }
    for (index, parameter) in trainable.enumerated() {
      graph.output("parameterCurvature/\(index)", bent[index] ?? graph.zero(parameter.value.type))
    }
    self.graph = graph
  }

  /// Binds what the case gives.
  func bind(_ subject: AgreementCase, _ network: Network, to program: some CompiledProgram) throws {
    for (name, input) in zip(subject.inputNames, names(of: inputs)) {
      program.bind(subject.given["inputs/\(name)"]?.elements ?? [], to: input)
    }
    for (index, place) in real.enumerated() {
      let name = "directions/inputs/\(subject.inputNames[place])"
      program.bind(subject.given[name]?.elements ?? [], to: "direction/input\(index)")
    }
    let table = try subject.table("parameters/", for: network)
    for (parameter, elements) in zip(parameters, try network.elements(of: parameters, from: table))
    {
      program.bind(elements, to: parameter.name)
    }
    let directions = try subject.table("directions/parameters/", for: network)
    let moved = try network.elements(of: trainable, from: directions)
    for (parameter, elements) in zip(trainable, moved) {
      program.bind(elements, to: "direction/" + parameter.name)
    }
    program.bind(
      subject.given["loss_scale"]?.elements ?? subject.targets(like: targetType), to: "target")
  }

  private func names(of values: [Value]) -> [String] {
    values.compactMap { value in graph.inputs.first { $0.value == value }?.name }
  }
}

/// The reference interpreter as a backend.
struct ReferenceBackend: Backend {
  func compile(_ graph: Graph, in precision: Precision) throws(BackendError) -> ReferenceProgram {
    ReferenceProgram(graph)
  }
}

final class ReferenceProgram: CompiledProgram {
  private let graph: Graph
  private var bound: [Value: [Double]] = [:]
  private var results: [String: [Double]] = [:]

  init(_ graph: Graph) { self.graph = graph }

  func bind(_ elements: [Double], to input: String) {
    guard let value = graph.input(named: input) else { return }
    bound[value] = elements
  }

  func run() throws(BackendError) {
    let values = ReferenceInterpreter().evaluate(
      graph.outputs.map(\.value), in: graph, inputs: bound)
    for (output, elements) in zip(graph.outputs, values) { results[output.name] = elements }
  }

  func elements(of output: String) -> [Double] { results[output] ?? [] }
}
