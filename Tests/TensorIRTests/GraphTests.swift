import TensorIR
import Testing

@Suite("Graph")
struct GraphTests {
  @Test("equal expressions are one node")
  func sharesEqualExpressions() {
    var graph = Graph()
    let x = graph.input("x", TensorType([3]))
    #expect(graph.apply(Tanh(), x) == graph.apply(Tanh(), x))
    #expect(graph.apply(Tanh(), x) != graph.apply(Logistic(), x))
  }
}
