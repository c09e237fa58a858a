import TensorIR
import Testing

@Suite("Text form")
struct TextFormTests {
  @Test("a graph prints one line per node and output")
  func lines() {
    var graph = Graph()
    let x = graph.input("x", TensorType([1, 4, 4, 2]))
    let k = graph.input("conv.weight", TensorType([3, 3, 2, 5]), .parameter)
    let geometry = ConvolutionGeometry(
      stride: [2, 2], low: [0, 1], high: [1, 0], dilation: [1, 1])
    let y = graph.apply(Convolution(geometry), x, k)
    let rows = graph.table([0.1, -2, 3], TensorType([3]))
    let sum = graph.apply(Reduce(.sum, axes: [0, 1, 2, 3]), y)
    graph.output("sum", graph.apply(Multiply(), sum, graph.constant(0.5)))
    graph.output("kernel", k, carriedInto: k)
    graph.output("rows", rows)
    #expect(
      graph.description == """
        %0 = argument "x" : real[1, 4, 4, 2]
        %1 = parameter "conv.weight" : real[3, 3, 2, 5]
        %2 = convolution %0, %1 {stride = [2, 2], low = [0, 1], high = [1, 0], \
        dilation = [1, 1], groups = [1]} : real[1, 2, 2, 5]
        %3 = table [0.1, -2.0, 3.0] : real[3]
        %4 = reduce %2 {operation = sum, axes = [0, 1, 2, 3]} : real[]
        %5 = constant 0.5 : real[]
        %6 = multiply %5, %4 : real[]
        output "sum" = %6
        output "kernel" = %1 carried into %1
        output "rows" = %3

        """)
  }

  @Test("random graphs and their derivatives survive the round trip", arguments: 0..<40)
  func roundTrip(_ seed: UInt64) throws {
    var program = RandomProgram(seed: seed, steps: 30, isRaw: seed.isMultiple(of: 2))
    if seed.isMultiple(of: 3) { program.differentiate() }
    let text = program.graph.description
    let parsed = try Graph(parsing: text)
    #expect(parsed.description == text)
    #expect(program.evaluate(parsed) == program.evaluate(program.graph))
    #expect(
      parsed.outputs.map(\.carriedInto?.index)
        == program.graph.outputs.map(\.carriedInto?.index))
  }

  @Test("every primitive survives the round trip", arguments: PrimitiveCase.all)
  func primitives(_ subject: PrimitiveCase) throws {
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    graph.output("y", graph.apply(subject.primitive, inputs))
    #expect(try Graph(parsing: graph.description).description == graph.description)
  }

  @Test("numbers read back as the same bits")
  func numbers() throws {
    let numbers: [Double] = [
      0.1, -0.0, .leastNonzeroMagnitude, .pi, .greatestFiniteMagnitude, 1e22, .infinity, -.infinity,
      .nan, 1.0 / 3,
    ]
    var graph = Graph()
    graph.output("t", graph.table(numbers, TensorType([numbers.count])))
    for number in numbers { _ = graph.constant(number) }
    let parsed = try Graph(parsing: graph.description)
    guard case .table(let table) = parsed.nodes[0].origin else {
      Issue.record("the table became \(parsed.nodes[0].origin)")
      return
    }
    #expect(table.map(\.bitPattern) == numbers.map(\.bitPattern))
    let constants = parsed.nodes.indices.compactMap { parsed.uniform(parsed.value($0)) }
    #expect(constants.map(\.bitPattern) == numbers.map(\.bitPattern))
  }

  @Test(
    "names of any characters stay on one line",
    arguments: [
      "", "a b", "\"", "\\", "a\\u{41}", "line\nbreak\r\n", "tab\t", "\u{0}", "π/é",
      "\u{2028}", "%1 = : {}",
    ])
  func names(_ name: String) throws {
    var graph = Graph()
    graph.output(name, graph.input(name, .scalar))
    #expect(graph.description.split(separator: "\n").count == 2)
    let parsed = try Graph(parsing: graph.description)
    #expect(parsed.inputs.map(\.name) == [name])
    #expect(parsed.outputs.map(\.name) == [name])
    #expect(parsed.description == graph.description)
  }

  @Test("what is applied to a parsed graph is shared with it")
  func sharing() throws {
    var graph = try Graph(parsing: "%0 = argument \"x\" : real[2]\n%1 = tanh %0 : real[2]\n")
    #expect(graph.apply(Tanh(), graph.value(0)).index == 1)
  }

  @Test("blank lines, spaces and carriage returns mean nothing")
  func spaces() throws {
    let text = "\r\n  %0=argument\"x\":real[ 2 ]\r\n\r\n\toutput \"y\" = %0 carried into %0 \r\n"
    let graph = try Graph(parsing: text)
    #expect(
      graph.description == "%0 = argument \"x\" : real[2]\noutput \"y\" = %0 carried into %0\n")
  }
}
