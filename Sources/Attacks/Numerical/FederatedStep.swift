internal import Networks
internal import TensorIR

/// One step of a client, `θ − η ∂L/∂θ`, and its transposed derivative, for a number of samples.
final class FederatedStep {
  private let gradient: any CompiledProgram
  private let products: any CompiledProgram
  private let input: String
  private let target: String
  /// Per trainable parameter, in node order.
  private let names: [Names]

  /// The names of one parameter in both programs.
  private struct Names {
    var parameter: String
    var direction: String
    /// `(∂²L/∂θ²) λ`; `nil` if it is zero.
    var product: String?
  }

  private static let inputProduct = "input-product"

  /// - Parameters:
  ///   - graph: The loss with its gradient.
  ///   - constants: The elements of parameters that no gradient exists for.
  ///   - backend: What runs both programs.
  ///   - precision: In which they run.
  /// - Throws: ``BackendError`` if it cannot.
  init(
    _ graph: GradientGraph, constants: [[Double]], on backend: any Backend, in precision: Precision
  ) throws(BackendError) {
    var program = graph
    var directions: [Value: Value] = [:]
    for parameter in graph.parameters {
      var name = "direction/" + parameter.parameter.name
      while program.graph.input(named: name) != nil { name += "'" }
      directions[parameter.value] = program.graph.input(name, parameter.value.type, .argument)
    }
    let slopes = program.inputGradients() + graph.parameters.map(\.gradient)
    let moved = program.graph.pushforward(of: slopes, along: directions)
    var both = Graph(withoutOutputsOf: program.graph)
    both.output(Self.inputProduct, moved[0] ?? both.zero(graph.inputs[0].type))
    var names: [Names] = []
    for (parameter, moved) in zip(graph.parameters, moved.dropFirst()) {
      let name = parameter.parameter.name
      let direction = directions[parameter.value].map { both.inputName($0) } ?? name
      names.append(Names(parameter: name, direction: direction))
      guard let moved else { continue }
      both.output("product/" + name, moved)
      names[names.count - 1].product = "product/" + name
    }
    self.names = names
    input = both.inputName(graph.inputs[0])
    target = both.inputName(graph.target)
    gradient = try backend.compile(graph.graph, in: precision)
    products = try backend.compile(both, in: precision)
    for (parameter, elements) in zip(graph.constants, constants) {
      gradient.bind(elements, to: parameter.name)
      products.bind(elements, to: parameter.name)
    }
  }

  /// Takes the step.
  ///
  /// - Parameters:
  ///   - parameters: `θ`, one list per trainable parameter.
  ///   - samples: Inputs and targets.
  ///   - rate: `η`.
  /// - Throws: ``BackendError`` if the program fails.
  func advance(
    _ parameters: inout [[Double]], _ samples: FederatedSamples, rate: Double
  ) throws(BackendError) {
    bind(parameters, samples, to: gradient)
    try gradient.run()
    for (place, name) in names.enumerated() {
      gradient.add(-rate, times: "gradient/" + name.parameter, to: &parameters[place])
    }
  }

  /// Turns a cotangent of the parameters behind the step into one of those in front of it.
  ///
  /// - Parameters:
  ///   - cotangent: `λ`, one list per trainable parameter.
  ///   - parameters: `θ` in front of the step.
  ///   - samples: Inputs and targets.
  ///   - rate: `η`.
  ///   - gradient: What the cotangent of the inputs is added to.
  ///   - first: Where the inputs start there.
  /// - Throws: ``BackendError`` if the program fails.
  func pull(
    _ cotangent: inout [[Double]], at parameters: [[Double]], _ samples: FederatedSamples,
    rate: Double, to gradient: inout [Double], from first: Int
  ) throws(BackendError) {
    bind(parameters, samples, to: products)
    for (name, elements) in zip(names, cotangent) { products.bind(elements, to: name.direction) }
    try products.run()
    for (place, name) in names.enumerated() {
      guard let product = name.product else { continue }
      products.add(-rate, times: product, to: &cotangent[place])
    }
    let slope = products.elements(of: Self.inputProduct)
    for place in slope.indices { gradient[first + place] -= rate * slope[place] }
  }

  private func bind(
    _ parameters: [[Double]], _ samples: FederatedSamples, to program: any CompiledProgram
  ) {
    for (name, elements) in zip(names, parameters) { program.bind(elements, to: name.parameter) }
    program.bind(samples.inputs, to: input)
    program.bind(samples.targets, to: target)
  }
}

/// The samples of one step.
struct FederatedSamples {
  var inputs: [Double]
  /// One distribution over the classes for each, or the share of class 1.
  var targets: [Double]
  var count: Int
}
