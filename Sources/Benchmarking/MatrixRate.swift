internal import TensorIR

/// How fast a backend multiplies square matrices of full precision: what a floor is measured by.
struct MatrixRate {
  /// Matrices of `size × size`.
  let size: Int

  /// The rate of the fastest of several products, in GFLOP/s at two FLOP per multiply-add.
  ///
  /// - Throws: ``BenchmarkError`` if the backend cannot multiply.
  func measure(on backend: some Backend) throws(BenchmarkError) -> Double {
    var graph = Graph()
    let type = TensorType([size, size])
    let left = graph.input("left", type)
    let right = graph.input("right", type)
    graph.output("product", graph.apply(DotGeneral.matrix(leftRank: 2), left, right))
    let operations = 2 * Double(size * size * size)
    do throws(BackendError) {
      let program = try backend.compile(graph, in: .single)
      // Uniform matrices would do as well; these keep every product a normal number.
      let elements = (0..<size * size).map { Double($0 % 61) / 61 - 0.5 }
      for name in ["left", "right"] { program.bind(elements, to: name) }
      var fastest = Duration.seconds(3600)
      let clock = ContinuousClock()
      let start = clock.now
      var rounds = 0
      while rounds < 5 || clock.now - start < .seconds(1) {
        let before = clock.now
        try program.run()
        fastest = min(fastest, clock.now - before)
        rounds += 1
      }
      return operations / (fastest.milliseconds * 1e6)
    } catch {
      throw BenchmarkError(error.description)
    }
  }
}

extension Duration {
  var milliseconds: Double { self / .milliseconds(1) }
}
