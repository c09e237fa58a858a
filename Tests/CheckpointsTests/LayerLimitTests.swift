import Checkpoints
import Networks
import Testing

@Suite("Number of layers")
struct LayerLimitTests {
  private func chain(of count: Int) -> Network {
    Network(
      "chain", inputShapes: [[4]],
      nodes: (0..<count).map { index in
        Network.Node(
          name: "layer \(index)", layer: Activation(.relu),
          sources: [index == 0 ? .input(0) : .node(index - 1)])
      })
  }

  @Test("an architecture that would stall the matching of names is refused with its number")
  func limit() throws {
    let file = try CheckpointReader(sandbox: SandboxedReader(executable: Place.executable))
      .read(Place.fixtures + "/keras/mlp.h5", as: .model)
    #expect(try BoundModel(file, architecture: chain(of: 10_000)) != nil)
    let error = #expect(throws: CheckpointError.self) {
      _ = try BoundModel(file, architecture: chain(of: 10_001))
    }
    #expect(error?.description.contains("10001 layers; up to 10000 are read") == true)
  }

  @Test("the readers of a layer are listed once, in order")
  func readers() {
    let nodes = [
      Network.Node(name: "a", layer: Activation(.relu), sources: [.input(0)]),
      Network.Node(name: "b", layer: Merge(.add), sources: [.node(0), .node(0)]),
      Network.Node(name: "c", layer: Activation(.tanh), sources: [.node(0)]),
      Network.Node(name: "d", layer: Activation(.tanh), sources: [.node(99)]),
    ]
    let network = Network("fan", inputShapes: [[4]], nodes: nodes)
    #expect(network.consumers(of: 0) == [1, 2])
    #expect(network.consumers(of: 1).isEmpty && network.isLast(3))
  }
}
