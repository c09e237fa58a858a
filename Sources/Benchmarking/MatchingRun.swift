internal import Attacks
internal import Networks
internal import TensorIR
internal import Tensors

/// A workload on a backend, with the start bound: one restart of gradient matching.
final class MatchingRun<B: Backend> {
  private let program: B.Program
  private let x0: [Double]
  private let learningRate: Double

  /// - Throws: ``BenchmarkError`` if the start does not fit or the backend cannot run the program.
  init(
    _ workload: Workload, from start: Start, on backend: B, in precision: Precision
  ) throws(BenchmarkError) {
    let network = workload.network
    let forward: NetworkGraph
    do throws(UnsupportedLayer) {
      forward = try network.graph(samples: 1)
    } catch {
      throw BenchmarkError(error.description)
    }
    program = try Self.compile(
      network, matching: workload.matching, on: backend, in: precision)
    x0 = try start.tensor("x0").elements()
    learningRate = workload.learningRate
    for parameter in forward.parameters {
      let name = parameter.name
      let stored = try start.parameter(
        network.nodes[parameter.key.node].name, parameter.key.role)
      try bind(stored.value, parameter, of: network, to: name)
      if let target = stored.target {
        try bind(
          target, parameter, of: network, to: GradientMatching.Name.observed(name))
      }
      // The file is as large as what is bound; both at once would be the peak.
      start.releaseMemory()
    }
    let label = try start.tensor("label").elements()
    let classes = network.nodes.last?.outputShape?.elementCount ?? 0
    program.bind(
      (0..<classes).map { Double($0) == label.first ? 1 : 0 }, to: GradientMatching.Name.target)
    program.bind([learningRate], to: GradientMatching.Name.learningRate)
  }

  /// Builds the program of one restart and compiles it; nothing is bound yet.
  static func compile(
    _ network: Network, matching: GradientMatching, on backend: B, in precision: Precision
  ) throws(BenchmarkError) -> B.Program {
    let graph: Graph
    do throws(UnsupportedLayer) {
      graph = try matching.iteration(
        of: network, samples: 1, loss: .softmaxCrossEntropy(smoothing: 0))
    } catch {
      throw BenchmarkError(error.description)
    }
    do throws(BackendError) {
      return try backend.compile(graph, in: precision)
    } catch {
      throw BenchmarkError(error.description)
    }
  }

  private func bind(
    _ tensor: Tensor, _ parameter: GraphParameter, of network: Network, to name: String
  ) throws(BenchmarkError) {
    let table = ParameterTable(convention: .channelsFirst, [parameter.key: tensor])
    do throws(ParameterMismatch) {
      program.bind(try network.elements(of: [parameter], from: table)[0], to: name)
    } catch {
      throw BenchmarkError(error.description)
    }
  }

  /// The objective at the start and its slope in the input, `[1, channels, height, width]`.
  func objective() throws(BenchmarkError) -> (value: Double, slope: [Double]) {
    restart()
    let value = try step()
    return (value, program.elements(of: GradientMatching.Name.gradient))
  }

  /// Puts input and optimiser back to the start.
  func restart() {
    program.bind(x0, to: GradientMatching.Name.input)
    for name in ["momentum", "variance"] { program.bind(x0.map { _ in 0 }, to: name) }
    for name in ["first-power", "second-power"] { program.bind([1], to: name) }
  }

  /// Runs one iteration.
  ///
  /// - Returns: The objective of the input that it started from.
  func step() throws(BenchmarkError) -> Double {
    do throws(BackendError) {
      try program.run()
    } catch {
      throw BenchmarkError(error.description)
    }
    return program.scalar(of: GradientMatching.Name.objective)
  }
}
