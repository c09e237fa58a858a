import TensorIR
import Testing

@Suite("Simplification")
struct SimplificationTests {
  @Test("random programs keep their values", arguments: 0..<150)
  func values(_ seed: UInt64) {
    var program = RandomProgram(seed: seed, steps: 40, isRaw: true)
    if seed.isMultiple(of: 5) { program.differentiate() }
    let simple = program.graph.simplified()
    for (ours, theirs) in zip(program.evaluate(simple), program.evaluate(program.graph)) {
      #expect(distance(ours, theirs) <= 1e-12)
    }
    #expect(simple.nodes.count <= program.graph.nodes.count)
    #expect(simple.inputs.map(\.name) == program.graph.inputs.map(\.name))
    #expect(simple.outputs.map(\.name) == program.graph.outputs.map(\.name))
  }

  @Test("a simple program stays as it is", arguments: 0..<50)
  func idempotence(_ seed: UInt64) {
    var program = RandomProgram(seed: seed, steps: 40, isRaw: true)
    if seed.isMultiple(of: 5) { program.differentiate() }
    let simple = program.graph.simplified()
    #expect(simple.simplified().description == simple.description)
  }

  @Test("nothing is left that no output needs, and nothing twice", arguments: 0..<50)
  func minimality(_ seed: UInt64) {
    let simple = RandomProgram(seed: seed, steps: 40, isRaw: true).graph.simplified()
    var isNeeded = Set(simple.outputs.map(\.value.index))
    for index in simple.nodes.indices.reversed() where isNeeded.contains(index) {
      if case .primitive(_, let operands) = simple.nodes[index].origin {
        isNeeded.formUnion(operands.map(\.index))
      }
    }
    let inputs = simple.inputs.map(\.value.index)
    #expect(isNeeded.union(inputs) == Set(simple.nodes.indices))
    let lines = simple.nodes.map { "\($0.origin) : \($0.type)" }
    #expect(Set(lines).count == lines.count)
  }

  @Test("dead code, inputs excepted, is dropped")
  func deadCode() {
    var graph = Graph()
    let x = graph.input("x", TensorType([2]))
    _ = graph.input("unused", TensorType([3]))
    _ = graph.apply(Exponential(), x)
    graph.output("y", graph.apply(Tanh(), x))
    #expect(
      graph.simplified().description == """
        %0 = argument "x" : real[2]
        %1 = argument "unused" : real[3]
        %2 = tanh %0 : real[2]
        output "y" = %2

        """)
  }

  @Test("each expression is what it should become", arguments: rules)
  func rewrites(_ rule: Rule) {
    var graph = Graph()
    let x = graph.input("x", TensorType([2, 3]))
    let y = graph.input("y", TensorType([2, 3]))
    let (found, expected) = rule.make(x, y, &graph)
    #expect(found == expected, "\(rule.name): \(graph)")
  }

  struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable (Value, Value, inout Graph) -> (Value, Value)
    var testDescription: String { name }
  }

  static let rules: [Rule] = [
    Rule(name: "x + 0") { x, _, g in (g.apply(Add(), x, g.zero(x.type)), x) },
    Rule(name: "0 + x") { x, _, g in (g.apply(Add(), g.zero(x.type), x), x) },
    Rule(name: "y + x") { x, y, g in (g.apply(Add(), y, x), g.apply(Add(), x, y)) },
    Rule(name: "x + −y") { x, y, g in
      (g.apply(Add(), x, g.apply(Negate(), y)), g.apply(Subtract(), x, y))
    },
    Rule(name: "−x + y") { x, y, g in
      (g.apply(Add(), g.apply(Negate(), x), y), g.apply(Subtract(), y, x))
    },
    Rule(name: "x + x") { x, _, g in
      (g.apply(Add(), x, x), g.apply(Multiply(), g.constant(2, x.type), x))
    },
    Rule(name: "tanh of copies") { x, _, g in
      let copy = BroadcastInDim(shape: [4, 2, 3], axes: [1, 2])
      return (g.apply(Tanh(), g.apply(copy, x)), g.apply(copy, g.apply(Tanh(), x)))
    },
    Rule(name: "product of copies and a constant") { x, y, g in
      let copy = BroadcastInDim(shape: [4, 2, 3], axes: [1, 2])
      let sum = g.apply(Add(), g.apply(copy, x), g.apply(copy, y))
      let product = g.apply(Multiply(), sum, g.constant(3, sum.type))
      let small = g.apply(Multiply(), g.constant(3, x.type), g.apply(Add(), x, y))
      return (product, g.apply(copy, small))
    },
    Rule(name: "x − 0") { x, _, g in (g.apply(Subtract(), x, g.zero(x.type)), x) },
    Rule(name: "0 − x") { x, _, g in
      (g.apply(Subtract(), g.zero(x.type), x), g.apply(Negate(), x))
    },
    Rule(name: "x − −y") { x, y, g in
      (g.apply(Subtract(), x, g.apply(Negate(), y)), g.apply(Add(), x, y))
    },
    Rule(name: "−−x") { x, _, g in (g.apply(Negate(), g.apply(Negate(), x)), x) },
    Rule(name: "−(x − y)") { x, y, g in
      (g.apply(Negate(), g.apply(Subtract(), x, y)), g.apply(Subtract(), y, x))
    },
    Rule(name: "x · 0") { x, _, g in (g.apply(Multiply(), x, g.zero(x.type)), g.zero(x.type)) },
    Rule(name: "x · 1") { x, _, g in (g.apply(Multiply(), x, g.constant(1, x.type)), x) },
    Rule(name: "−1 · x") { x, _, g in
      (g.apply(Multiply(), g.constant(-1, x.type), x), g.apply(Negate(), x))
    },
    Rule(name: "y · x") { x, y, g in (g.apply(Multiply(), y, x), g.apply(Multiply(), x, y)) },
    Rule(name: "2 · (3 · x)") { x, _, g in
      let inner = g.apply(Multiply(), g.constant(3, x.type), x)
      return (
        g.apply(Multiply(), inner, g.constant(2, x.type)),
        g.apply(Multiply(), g.constant(6, x.type), x)
      )
    },
    Rule(name: "x / 1") { x, _, g in (g.apply(Divide(), x, g.constant(1, x.type)), x) },
    Rule(name: "x / 4") { x, _, g in
      (
        g.apply(Divide(), x, g.constant(4, x.type)),
        g.apply(Multiply(), g.constant(0.25, x.type), x)
      )
    },
    Rule(name: "tanh(2)") { x, _, g in
      (g.apply(Tanh(), g.constant(0, x.type)), g.zero(x.type))
    },
    Rule(name: "3 > 2") { x, y, g in
      let isLarger = g.apply(Compare(.greater), g.constant(3, x.type), g.constant(2, x.type))
      return (g.apply(Select(), isLarger, x, y), x)
    },
    Rule(name: "c ? x : x") { x, y, g in
      (g.apply(Select(), g.apply(Compare(.less), x, y), y, y), y)
    },
    Rule(name: "reshape of reshape") { x, _, g in
      (g.apply(Reshape(to: [2, 3]), g.apply(Reshape(to: [6]), x)), x)
    },
    Rule(name: "transpose of transpose") { x, _, g in
      (g.apply(Transpose([1, 0]), g.apply(Transpose([1, 0]), x)), x)
    },
    Rule(name: "transpose of an axis of extent 1") { x, _, g in
      let tall = g.apply(Reshape(to: [6, 1]), x)
      return (g.apply(Transpose([1, 0]), tall), g.apply(Reshape(to: [1, 6]), x))
    },
    Rule(name: "broadcast of broadcast") { x, _, g in
      let inner = g.apply(BroadcastInDim(shape: [4, 2, 3], axes: [1, 2]), x)
      return (
        g.apply(BroadcastInDim(shape: [4, 2, 5, 3], axes: [0, 1, 3]), inner),
        g.apply(BroadcastInDim(shape: [4, 2, 5, 3], axes: [1, 3]), x)
      )
    },
    Rule(name: "broadcast to extents of 1") { x, _, g in
      (
        g.apply(BroadcastInDim(shape: [2, 1, 3], axes: [0, 2]), x),
        g.apply(Reshape(to: [2, 1, 3]), x)
      )
    },
    Rule(name: "sum of sum") { x, _, g in
      (
        g.apply(Reduce(.sum, axes: [0]), g.apply(Reduce(.sum, axes: [0]), x)),
        g.apply(Reduce(.sum, axes: [0, 1]), x)
      )
    },
    Rule(name: "sum over nothing") { x, _, g in (g.apply(Reduce(.sum, axes: []), x), x) },
    Rule(name: "sum of a constant") { x, _, g in
      (
        g.apply(Reduce(.sum, axes: [1]), g.constant(0.5, x.type)),
        g.constant(1.5, TensorType([2]))
      )
    },
    Rule(name: "pad by nothing") { x, _, g in (g.apply(Pad(low: [0, 0], high: [0, 0]), x), x) },
    Rule(name: "slice of all") { x, _, g in
      (g.apply(Slice(starts: [0, 0], limits: [2, 3]), x), x)
    },
    Rule(name: "concatenation of one") { x, _, g in (g.apply(Concatenate(axis: 0), x), x) },
    Rule(name: "concatenation of equal constants") { x, _, g in
      let half = g.constant(0.5, x.type)
      return (
        g.apply(Concatenate(axis: 0), half, half), g.constant(0.5, TensorType([4, 3]))
      )
    },
    Rule(name: "table of equal elements") { x, _, g in
      (g.table([2, 2], TensorType([2])), g.constant(2, TensorType([2])))
    },
  ]

  @Test("a linear primitive of zeros is zero", arguments: PrimitiveCase.differentiable)
  func zeros(_ subject: PrimitiveCase) {
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    let result = graph.apply(subject.primitive, inputs)
    // The tangent of each operand alone is linear in it.
    for index in subject.moving {
      let zero = graph.zero(inputs[index].type)
      let tangent = graph.pushforward(of: result, along: [inputs[index]: zero])
      #expect(graph.uniform(tangent) == 0, "\(graph.origin(of: tangent))")
    }
    let pulled = graph.pullback(of: [(result, graph.zero(result.type))], to: inputs)
    #expect(pulled.allSatisfy { graph.uniform($0) == 0 })
  }

  @Test("rules that would be wrong are not there")
  func restraint() {
    var graph = Graph()
    let x = graph.input("x", TensorType([2]))
    // ∞ − ∞ is not 0, and 0/0 is not 1.
    let (difference, ratio) = (graph.apply(Subtract(), x, x), graph.apply(Divide(), x, x))
    for value in [difference, ratio] { #expect(graph.uniform(value) == nil) }
    // 1/3 is not exact; the reciprocals of these overflow in single precision.
    for divisor in [3, 0x1p-130, 0x1p-1074, 0x1p130, .infinity, 0] {
      let quotient = graph.apply(Divide(), x, graph.constant(divisor, x.type))
      #expect(graph.application(quotient, of: Divide.self) != nil, "\(divisor)")
    }
    // 1e-60 is 0 in single precision.
    let small = graph.constant(1e-30, x.type)
    let product = graph.apply(Multiply(), small, graph.apply(Multiply(), small, x))
    #expect(graph.application(product, of: Multiply.self)?.operands[0] == small)
    // Row 0 of a table is not zero.
    let rows = graph.input("table", TensorType([3, 2]))
    let first = graph.apply(Gather(), rows, graph.zero(TensorType([1], .index)))
    #expect(graph.uniform(first) == nil)
  }
}
