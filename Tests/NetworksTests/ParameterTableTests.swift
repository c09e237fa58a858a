import Networks
import Tensors
import Testing

@Suite("Parameter table")
struct ParameterTableTests {
  @Test("a dense weight has its outputs as rows in either convention")
  func matrix() {
    for convention in [ParameterTable.Convention.channelsLast, .channelsFirst] {
      var table = ParameterTable(convention: convention)
      let isLast = convention == .channelsLast
      // The weight [[1, 2, 3], [4, 5, 6]] from three inputs to two outputs.
      table[0, .weight] = Tensor(
        isLast ? [1, 4, 2, 5, 3, 6] : [1, 2, 3, 4, 5, 6], shape: isLast ? [3, 2] : [2, 3])
      #expect(table.matrix(0)?.row(1) == [4, 5, 6])
      #expect(table.matrix(0)?.outputs == 2 && table.matrix(0)?.inputs == 3)
    }
  }

  @Test("only weights with two axes are matrices")
  func notAMatrix() {
    var table = ParameterTable(convention: .channelsLast)
    table[0, .weight] = Tensor([1, 2], shape: [2])
    table[1, .bias] = Tensor([1, 2], shape: [2])
    #expect(table.matrix(0) == nil && table.matrix(1) == nil && table.matrix(2) == nil)
    #expect(table.bias(1) == [1, 2] && table.bias(0) == nil)
  }

  @Test("keys are sorted by node and then by role")
  func keys() {
    var table = ParameterTable(convention: .channelsFirst)
    let scalar = Tensor([1, 2, 3], shape: [3])
    for role in [ParameterRole.weight, .bias, .other("a")] {
      for node in [2, 0, 1] { table[node, role] = scalar }
    }
    #expect(table.keys.map(\.node) == [0, 0, 0, 1, 1, 1, 2, 2, 2])
    #expect(table.keys.prefix(3).map(\.role) == [.other("a"), .bias, .weight])
    #expect(table.count(1) == 9 && table.count(7) == 0)
    table[1, .bias] = nil
    #expect(table.count(1) == 6 && table.keys.count == 8)
  }
}
