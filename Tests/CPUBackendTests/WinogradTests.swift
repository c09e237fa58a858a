import CPUBackend
import TensorIR
import Testing

@Suite("Winograd's transforms")
struct WinogradTests {
  /// Maps and channels are large enough that the transforms are chosen where oneDNN has them.
  ///
  /// Direct single precision is off by about 1e-6 here, the transforms by a few times that: the
  /// factors of F(4 × 4, 3 × 3) cost about one digit.
  @Test("large convolutions in Float stay near those in Double", arguments: [1, 2])
  func accuracy(threads: Int) throws {
    var graph = Graph()
    let x = graph.input("x", TensorType([1, 29, 32, 64]))
    let kernel = graph.input("kernel", TensorType([3, 3, 64, 80]), .parameter)
    let around = ConvolutionGeometry(
      stride: [1, 1], low: [1, 1], high: [1, 1], dilation: [1, 1])
    let y = graph.apply(Convolution(around), x, kernel)
    let cotangent = graph.input("cotangent", y.type)
    let gradients = graph.pullback(of: [(y, cotangent)], to: [x, kernel])
    graph.output("forward", y)
    graph.output("input gradient", gradients[0])
    graph.output("kernel gradient", gradients[1])
    var numbers = Numbers(11)
    let inputs = graph.inputs.map { ($0.name, numbers.uniform($0.value.type.elementCount)) }
    let backend = CPUBackend(threads: threads)
    let programs = try [Precision.single, .double].map { try backend.compile(graph, in: $0) }
    for program in programs {
      for (name, elements) in inputs { program.bind(elements, to: name) }
      try program.run()
    }
    for output in graph.outputs {
      let single = programs[0].elements(of: output.name)
      #expect(
        distance(single, programs[1].elements(of: output.name)) <= 1e-5, "\(output.name)")
      try programs[0].run()
      #expect(programs[0].elements(of: output.name) == single, "\(output.name) differs again")
    }
  }
}
