import Networks
import TensorIR
import Tensors
import Testing

@Suite("Arrangement of parameters")
struct ParameterArrangementTests {
  private func numbered(_ shape: [Int]) -> [Double] {
    (0..<shape.reduce(1, *)).map(Double.init)
  }

  @Test("every step moves elements where it says, and back")
  func steps() {
    let matrix = ParameterArrangement([2, 3]).transposed([1, 0])
    #expect(matrix.tableShape == [3, 2])
    #expect(matrix.tableElements([0, 1, 2, 3, 4, 5]) == [0, 3, 1, 4, 2, 5])
    let gates = ParameterArrangement([2, 6]).reordered(axis: 1, blocks: [1, 0, 2])
    #expect(
      gates.tableElements(numbered([2, 6])) == [2, 3, 0, 1, 4, 5, 8, 9, 6, 7, 10, 11])
    let heads = ParameterArrangement([3, 4]).reshaped([3, 2, 2])
    #expect(heads.tableShape == [3, 2, 2] && heads.tableElements(numbered([3, 4])).count == 12)
    #expect(heads.graphElements(numbered([3, 4])) == numbered([3, 4]))
    for arrangement in [
      matrix, gates, heads, gates.transposed([1, 0]).reshaped([3, 4]).transposed([1, 0]),
      ParameterArrangement([2, 3, 4, 5]).transposed([3, 2, 0, 1]),
    ] {
      let elements = numbered(arrangement.graphShape)
      #expect(arrangement.graphElements(arrangement.tableElements(elements)) == elements)
      #expect(arrangement.tableShape.reduce(1, *) == elements.count)
    }
  }

  @Test(
    "tables of each convention hold kernels as their framework does",
    arguments: [
      (Dense(outputs: 3), .weight, [5, 3], [5, 3], [3, 5]),
      (
        Convolution(filters: 6, kernel: [3, 2]), .weight, [3, 2, 4, 6], [3, 2, 4, 6], [6, 4, 3, 2]
      ),
      (
        Convolution(variant: .depthwise, filters: 2, kernel: [3]), .weight, [3, 1, 8], [3, 4, 2],
        [8, 1, 3]
      ),
      (
        Convolution(variant: .transposed, filters: 6, kernel: [3]), .weight, [3, 6, 4], [3, 6, 4],
        [4, 6, 3]
      ),
      (
        Convolution(
          variant: .transposed, filters: 6, kernel: [3], groups: 2, hasSwappedKernel: false),
        .weight, [3, 3, 4], [3, 2, 6], [6, 2, 3]
      ),
      (Attention(heads: 2, keyWidth: 3), .other("query_weight"), [5, 6], [5, 2, 3], [6, 5]),
      (Attention(heads: 2, keyWidth: 3), .other("output_weight"), [6, 5], [2, 3, 5], [5, 6]),
      (Recurrent(.lstm, units: 2), .weight, [3, 8], [3, 8], [8, 3]),
      (BatchNormalization(), .scale, [7], [7], [7]),
      (ClassToken(), .other("token"), [7], [1, 1, 7], [1, 1, 7]),
    ] as [(any Layer, ParameterRole, [Int], [Int], [Int])])
  func conventions(
    layer: any Layer, role: ParameterRole, graph: [Int], last: [Int], first: [Int]
  ) {
    for (convention, expected) in [
      (ParameterTable.Convention.channelsLast, last), (.channelsFirst, first),
    ] {
      let found = layer.arrangement(of: role, shape: graph, in: convention)
      #expect(found.graphShape == graph && found.tableShape == expected)
    }
  }

  @Test("a transposed kernel in plain order is the framework's with its axes exchanged")
  func plainOrder() {
    // PyTorch's [inputs, outputs / groups, k] against [outputs, inputs / groups, k].
    let (groups, inputs, outputs) = (2, 4, 6)
    let swapped = Convolution(variant: .transposed, filters: outputs, kernel: [1], groups: groups)
    var plain = swapped
    plain.hasSwappedKernel = false
    let graph = [1, outputs / groups, inputs]
    let own = swapped.arrangement(of: .weight, shape: graph, in: .channelsFirst)
    let other = plain.arrangement(of: .weight, shape: graph, in: .channelsFirst)
    let elements = numbered(own.tableShape)
    let moved = other.tableElements(own.graphElements(elements))
    for input in 0..<inputs {
      for output in 0..<outputs / groups {
        let group = input / (inputs / groups)
        let row = group * (outputs / groups) + output
        #expect(
          moved[row * (inputs / groups) + input % (inputs / groups)]
            == elements[input * (outputs / groups) + output])
      }
    }
  }

  @Test("a table binds in the graph's order, and a gradient returns in the table's")
  func binding() throws {
    let network = Network("m", input: [2], ["fc": Dense(outputs: 3)])
    let graph = try network.graph(samples: 1)
    var table = ParameterTable(convention: .channelsFirst)
    table[0, .weight] = Tensor([0, 1, 2, 3, 4, 5], shape: [3, 2])
    table[0, .bias] = Tensor([6, 7, 8], shape: [3])
    let bound = try network.elements(of: graph.parameters, from: table)
    #expect(bound == [[0, 2, 4, 1, 3, 5], [6, 7, 8]])
    let returned = network.table(of: bound, for: graph.parameters, in: .channelsFirst)
    #expect(returned[0, .weight]?.elements() == [0, 1, 2, 3, 4, 5])
    #expect(returned[0, .weight]?.shape == [3, 2] && returned[0, .bias]?.elements() == [6, 7, 8])
  }

  @Test("a parameter that is missing or of another shape is named")
  func mismatches() throws {
    let network = Network("m", input: [2], ["fc": Dense(outputs: 3)])
    let graph = try network.graph(samples: 1)
    var table = ParameterTable(convention: .channelsFirst)
    table[0, .weight] = Tensor([0, 1, 2, 3, 4, 5], shape: [2, 3])
    let wrong = #expect(throws: ParameterMismatch.self) {
      try network.elements(of: graph.parameters, from: table)
    }
    #expect(wrong?.description == "weight of layer 'fc' is 2×3; the layer needs 3×2")
    table[0, .weight] = Tensor([0, 1, 2, 3, 4, 5], shape: [3, 2])
    let missing = #expect(throws: ParameterMismatch.self) {
      try network.elements(of: graph.parameters, from: table)
    }
    #expect(missing?.description == "layer 'fc' has no bias; the layer needs 3")
  }
}
