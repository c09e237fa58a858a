import CPUBackend
import TensorIR
import Testing

@Suite("fused programs")
struct FusionTests {
  @Test("agree with the interpreter on programs that nobody wrote", arguments: 0..<300)
  func random(seed: Int) throws {
    let random = RandomGraph(seed: UInt64(seed))
    for precision in Precision.allCases {
      // Sums of sums and differences of near values lose a few digits more than one primitive.
      try expectAgreement(
        random.graph, random.inputs, precision, threads: 1 + seed % 2,
        tolerance: precision == .double ? 1e-11 : 1e-4, "seed \(seed)")
    }
  }

  @Test("give equal bits in every run, and with the state they carry")
  func carried() throws {
    var graph = Graph()
    let type = TensorType([40, 60])
    let x = graph.input("x", type)
    let m = graph.input("m", type)
    let target = graph.input("target", type, .parameter)
    let error = graph.apply(Subtract(), x, target)
    let next = graph.apply(Add(), graph.apply(Multiply(), graph.constant(0.9, type), m), error)
    let step = graph.apply(Multiply(), graph.constant(0.1, type), next)
    graph.output(
      "loss", graph.apply(Reduce(.sum, axes: [0, 1]), graph.apply(Multiply(), error, error)))
    graph.output("next-m", next, carriedInto: m)
    graph.output("next-x", graph.apply(Subtract(), x, step), carriedInto: x)
    var numbers = Numbers(5)
    let start = numbers.uniform(type.elementCount)
    let goal = numbers.uniform(type.elementCount)
    var histories: [[[Double]]] = []
    for _ in 0..<2 {
      let program = try CPUBackend(threads: 2).compile(graph, in: .double)
      program.bind(goal, to: "target")
      program.bind(start, to: "x")
      program.bind(start.map { _ in 0 }, to: "m")
      var history: [[Double]] = []
      for _ in 0..<20 {
        try program.run()
        history.append(program.elements(of: "next-x") + program.elements(of: "loss"))
      }
      histories.append(history)
    }
    #expect(histories[0] == histories[1])
    // The same loop by hand.
    var (position, momentum) = (start, start.map { _ in 0.0 })
    for _ in 0..<20 {
      for index in position.indices {
        momentum[index] = 0.9 * momentum[index] + (position[index] - goal[index])
        position[index] -= 0.1 * momentum[index]
      }
    }
    #expect(distance(Array(histories[0][19].dropLast()), position) < 1e-13)
  }
}
