import Networks
import TensorIR
import Testing

/// The three tests of a derivative, for the objective of every case in all that it depends on.
///
/// The first catches a wrong transpose, the second a wrong slope; neither catches both.
@Suite("Derivatives of layers")
struct DerivativeTests {
  /// A case with its tangents, by the reference interpreter.
  private struct Subject {
    let graph: Graph
    let output: Value
    let loss: Value
    /// What moves: real inputs and trainable parameters, with a direction each.
    let moved: [(value: Value, name: String, direction: [Double])]
    let bound: [Value: [Double]]

    init(_ subject: AgreementCase) throws {
      let network = subject.network
      let derivation = try Derivation(network, of: subject)
      let program = Binder(derivation.graph)
      try derivation.bind(subject, network, to: program)
      graph = derivation.graph
      output = try #require(graph.output(named: "output"))
      loss = try #require(graph.output(named: "loss"))
      let numbers = program.bound
      bound = numbers
      let values =
        derivation.real.map { derivation.inputs[$0] } + derivation.trainable.map(\.value)
      let names = derivation.real.indices.map { "input\($0)" } + derivation.trainable.map(\.name)
      let inputs = derivation.graph
      moved = try zip(values, names).map { value, name in
        let direction = try #require(inputs.input(named: "direction/" + name))
        return (value, name, numbers[direction] ?? [])
      }
    }

    /// An input for the direction of everything that moves.
    func directions(in graph: inout Graph) -> [Value: Value] {
      moved.reduce(into: [:]) { inputs, entry in
        inputs[entry.value] = graph.input("v/" + entry.name, entry.value.type)
      }
    }

    func evaluate(_ values: [Value], in graph: Graph, _ inputs: [Value: [Double]]) -> [[Double]] {
      ReferenceInterpreter().evaluate(values, in: graph, inputs: inputs)
    }

    /// Everything that moves, moved by `step` along its direction.
    func shifted(by step: Double) -> [Value: [Double]] {
      moved.reduce(into: bound) { inputs, entry in
        inputs[entry.value] = zip(bound[entry.value] ?? [], entry.direction).map { $0 + step * $1 }
      }
    }
  }

  /// Numbers without a pattern, for a cotangent.
  private static func weights(_ count: Int) -> [Double] {
    (0..<count).map { index in
      let residue: Int = (index * 7919 + 104_729) % 2003
      return Double(residue) / 1001 - 1
    }
  }

  private func product(_ a: [[Double]], _ b: [[Double]]) -> Double {
    var sum = 0.0
    for (a, b) in zip(a, b) {
      for (x, y) in zip(a, b) { sum += x * y }
    }
    return sum
  }

  /// ⟨w, J v⟩ = ⟨Jᵀ w, v⟩ to rounding.
  @Test("the reverse pass is the transpose of the forward pass", arguments: AgreementFixtures.all)
  func transpose(subject: AgreementCase) throws {
    let subject = try Subject(subject)
    var graph = subject.graph
    let cotangent = graph.input("cotangent", subject.output.type)
    let directions = subject.directions(in: &graph)
    let tangent = graph.pushforward(of: subject.output, along: directions)
    let pulled = graph.pullback(of: [(subject.output, cotangent)], to: subject.moved.map(\.value))
    var inputs = subject.bound
    let weights = Self.weights(subject.output.type.elementCount)
    inputs[cotangent] = weights
    for entry in subject.moved { inputs[try #require(directions[entry.value])] = entry.direction }
    let found = subject.evaluate([tangent] + pulled, in: graph, inputs)
    let forward = product([weights], [found[0]])
    let reverse = product(Array(found.dropFirst()), subject.moved.map(\.direction))
    let size = product([weights.map(abs)], [found[0].map(abs)])
    #expect(abs(forward - reverse) <= 1e-12 * max(size, 1e-3), "\(forward) and \(reverse)")
  }

  /// With steps of 1e-5 the quotient is right to about 1e-10 of the third derivative and of the
  /// rounding of the loss; 1e-6 leaves room for sharp layers.
  @Test("the slope is that of central differences", arguments: AgreementFixtures.all)
  func differences(subject: AgreementCase) throws {
    let subject = try Subject(subject)
    var graph = subject.graph
    let gradients = graph.gradient(of: subject.loss, in: subject.moved.map(\.value))
    let slope = product(
      subject.evaluate(gradients, in: graph, subject.bound), subject.moved.map(\.direction))
    let step = 1e-5
    let ends = [step, -step].map {
      subject.evaluate([subject.loss], in: graph, subject.shifted(by: $0))[0][0]
    }
    let quotient = (ends[0] - ends[1]) / (2 * step)
    #expect(abs(slope - quotient) <= 1e-6 * max(abs(slope), abs(ends[0]), 1e-3))
  }

  @Test(
    "forward over reverse is the difference of reverse passes", arguments: AgreementFixtures.all)
  func second(subject: AgreementCase) throws {
    let subject = try Subject(subject)
    var graph = subject.graph
    let gradients = graph.gradient(of: subject.loss, in: subject.moved.map(\.value))
    let directions = subject.directions(in: &graph)
    let bent = gradients.map { graph.pushforward(of: $0, along: directions) }
    var inputs = subject.bound
    for entry in subject.moved { inputs[try #require(directions[entry.value])] = entry.direction }
    let found = subject.evaluate(bent, in: graph, inputs)
    let step = 1e-5
    let ends = [step, -step].map {
      subject.evaluate(gradients, in: graph, subject.shifted(by: $0))
    }
    let all = (ends[0] + found).flatMap { $0 }.map(abs).max() ?? 0
    for (index, entry) in subject.moved.enumerated() {
      let quotient = zip(ends[0][index], ends[1][index]).map { ($0 - $1) / (2 * step) }
      let size = max(found[index].map(abs).max() ?? 0, 1e-2 * all, 1e-3)
      let error: Double = zip(found[index], quotient).map { abs($0 - $1) }.max() ?? 0
      #expect(error <= 1e-6 * size, "\(entry.name) is \(error / size) off")
    }
  }
}

/// Keeps what is bound to a graph.
private final class Binder: CompiledProgram {
  private let graph: Graph
  private(set) var bound: [Value: [Double]] = [:]

  init(_ graph: Graph) { self.graph = graph }

  func bind(_ elements: [Double], to input: String) {
    if let value = graph.input(named: input) { bound[value] = elements }
  }

  func run() {}
  func elements(of output: String) -> [Double] { [] }
}
