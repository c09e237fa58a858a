import TensorIR
import Testing

@Suite("Differentiation rules")
struct DifferentiationRuleTests {
  @Test("every primitive has a row")
  func everyPrimitiveHasARow() {
    let covered = Set(PrimitiveCase.all.map(\.primitive.mnemonic))
    #expect(covered.sorted() == PrimitiveCatalog.all.map { $0.mnemonic }.sorted())
  }

  /// ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩ holds to rounding for any v and w, with no step size to choose.
  @Test("pullback is the transpose of pushforward", arguments: PrimitiveCase.differentiable)
  func adjoint(_ subject: PrimitiveCase) {
    let fixture = DerivativeFixture(subject, seed: 1)
    let forward = zip(fixture.w, fixture.evaluate(fixture.tangent)).map(*)
    let backward = zip(fixture.gradients, fixture.v).flatMap { gradient, direction in
      zip(fixture.evaluate(gradient), direction).map(*)
    }
    let scale = (forward + backward).reduce(0) { $0 + abs($1) }
    let difference = forward.reduce(0, +) - backward.reduce(0, +)
    #expect(abs(difference) <= 1e-12 * scale)
    #expect(scale > 0)
  }

  @Test("pushforward agrees with central differences", arguments: PrimitiveCase.differentiable)
  func centralDifferences(_ subject: PrimitiveCase) {
    let fixture = DerivativeFixture(subject, seed: 2)
    let exact = fixture.evaluate(fixture.tangent)
    #expect(distance(exact, fixture.differences(of: fixture.result)) <= subject.tolerance)
  }

  @Test(
    "forward over reverse agrees with differences of the reverse pass",
    arguments: PrimitiveCase.differentiable)
  func secondOrder(_ subject: PrimitiveCase) {
    let fixture = DerivativeFixture(subject, seed: 3)
    for (gradient, product) in zip(fixture.gradients, fixture.products) {
      let exact = fixture.evaluate(product)
      #expect(distance(exact, fixture.differences(of: gradient)) <= subject.tolerance)
    }
  }

  /// φ = Σ tanh(f(x))·w has second derivatives even where f is linear.
  @Test("both modes agree with each other in every order", arguments: PrimitiveCase.differentiable)
  func orders(_ subject: PrimitiveCase) {
    var generator = SplitMix64(seed: 4)
    let x = generator.elements(for: subject)
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    let moving = subject.moving.map { inputs[$0] }
    let u = Dictionary(
      uniqueKeysWithValues: moving.map {
        ($0, graph.table(generator.elements($0.type), $0.type))
      })
    let v = Dictionary(
      uniqueKeysWithValues: moving.map {
        ($0, graph.table(generator.elements($0.type), $0.type))
      })
    let result = graph.apply(subject.primitive, inputs)
    let weights = graph.table(generator.elements(result.type), result.type)
    let phi = graph.dot(graph.apply(Tanh(), result), weights)

    func along(_ gradients: [Value], _ direction: [Value: Value]) -> Value {
      zip(moving, gradients).reduce(graph.zero(.scalar)) { sum, pair in
        graph.apply(Add(), sum, graph.dot(direction[pair.0] ?? pair.0, pair.1))
      }
    }
    let slope = graph.pushforward(of: phi, along: v)
    let forwardOverForward = graph.pushforward(of: slope, along: u)
    let reverseOverForward = along(graph.gradient(of: slope, in: moving), u)
    let gradients = graph.gradient(of: phi, in: moving)
    let forwardOverReverse = along(
      gradients.map { graph.pushforward(of: $0, along: u) }, v)
    let reverseOverReverse = along(graph.gradient(of: along(gradients, v), in: moving), u)

    let values = ReferenceInterpreter().evaluate(
      [forwardOverForward, reverseOverForward, forwardOverReverse, reverseOverReverse],
      in: graph, inputs: Dictionary(uniqueKeysWithValues: zip(inputs, x)))
    for value in values.dropFirst() { #expect(distance(value, values[0]) <= 1e-11) }
    #expect(values[0] != [0])
  }

  @Test("primitives without a slope have no derivative", arguments: PrimitiveCase.constant)
  func zeroDerivative(_ subject: PrimitiveCase) {
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    let result = graph.apply(subject.primitive, inputs)
    let directions = Dictionary(uniqueKeysWithValues: inputs.map { ($0, $0) })
    #expect(graph.pushforward(of: [result], along: directions) == [nil])
    let seed = graph.input("seed", result.type)
    let pulled = graph.pullback(of: [(result, seed)], to: inputs)
    #expect(pulled.map { graph.uniform($0) } == inputs.map { _ in 0 })
  }
}

/// A primitive applied at a random point, with random tangents `v`, cotangent `w` and direction
/// `u` of the cotangent.
private struct DerivativeFixture {
  let graph: Graph
  let inputs: [Value]
  let moving: [Value]
  let seed: Value
  let result: Value
  let tangent: Value
  let gradients: [Value]
  /// The derivative of each gradient when operands and cotangent move.
  let products: [Value]
  let x: [[Double]]
  let v: [[Double]]
  let w: [Double]
  let u: [Double]

  init(_ subject: PrimitiveCase, seed randomSeed: UInt64) {
    var generator = SplitMix64(seed: randomSeed)
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    let moving = subject.moving.map { inputs[$0] }
    let result = graph.apply(subject.primitive, inputs)
    let seed = graph.input("seed", result.type)
    x = generator.elements(for: subject)
    v = moving.map { generator.elements($0.type) }
    w = generator.elements(result.type)
    u = generator.elements(result.type)
    var directions = Dictionary(
      uniqueKeysWithValues: zip(moving, v).map { ($0, graph.table($1, $0.type)) })
    tangent = graph.pushforward(of: result, along: directions)
    gradients = graph.pullback(of: [(result, seed)], to: moving)
    directions[seed] = graph.table(u, seed.type)
    products = gradients.map { graph.pushforward(of: $0, along: directions) }
    (self.graph, self.inputs, self.moving) = (graph, inputs, moving)
    (self.seed, self.result) = (seed, result)
  }

  func evaluate(_ value: Value, movedBy step: Double = 0) -> [Double] {
    var bindings = Dictionary(uniqueKeysWithValues: zip(inputs, x))
    for (input, direction) in zip(moving, v) {
      bindings[input] = zip(bindings[input, default: []], direction).map { $0 + step * $1 }
    }
    bindings[seed] = zip(w, u).map { $0 + step * $1 }
    return ReferenceInterpreter().evaluate(value, in: graph, inputs: bindings)
  }

  func differences(of value: Value) -> [Double] {
    let step = 1e-5
    return zip(evaluate(value, movedBy: step), evaluate(value, movedBy: -step)).map {
      ($0 - $1) / (2 * step)
    }
  }
}

extension Graph {
  /// `Σ xᵢ yᵢ`.
  fileprivate mutating func dot(_ x: Value, _ y: Value) -> Value {
    let product = apply(Multiply(), x, y)
    return apply(Reduce(.sum, axes: Array(product.type.shape.indices)), product)
  }
}
