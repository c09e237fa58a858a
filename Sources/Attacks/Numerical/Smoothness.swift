internal import TensorIR

/// The weighted mean total variation of inputs, in double precision.
struct Smoothness {
  private let program: any CompiledProgram

  /// - Parameters:
  ///   - shape: `[samples, …]`.
  ///   - weight: What it is multiplied with.
  ///   - isChannelsFirst: Whether channels stand in front of the spatial axes.
  ///   - backend: What runs it.
  /// - Throws: ``NotInvertible`` if the backend cannot run it.
  init(
    _ shape: [Int], weight: Double, isChannelsFirst: Bool, on backend: any Backend
  ) throws(NotInvertible) {
    var graph = Graph()
    let x = graph.input("input", TensorType(shape))
    let value = graph.apply(
      Multiply(), graph.constant(weight), graph.totalVariation(x, channelsFirst: isChannelsFirst))
    let gradient = graph.gradient(of: value, in: [x])[0]
    graph.output("value", value)
    graph.output("gradient", gradient)
    do throws(BackendError) {
      program = try backend.compile(graph, in: .double)
    } catch {
      throw NotInvertible(error.description)
    }
  }

  func evaluate(
    at x: [Double]
  ) throws(BackendError) -> (value: Double, gradient: [Double]) {
    program.bind(x, to: "input")
    try program.run()
    return (program.scalar(of: "value"), program.elements(of: "gradient"))
  }
}
