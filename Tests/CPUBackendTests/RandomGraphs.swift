import TensorIR

/// Programs that nobody wrote: what fusion and the planning of memory must survive.
struct RandomGraph {
  private(set) var graph = Graph()
  private(set) var inputs: [String: [Double]] = [:]
  private var values: [Value] = []
  private var numbers: Numbers

  init(seed: UInt64) {
    numbers = Numbers(seed)
    // Few different extents, so that shapes meet.
    let extents = [[2, 3, 4], [1, 9, 16], [5, 1, 7], [3, 40, 50]][Int(seed % 4)]
    for number in 0..<4 {
      let shape = number == 3 ? [extents[2]] : extents
      add(number, shape, number == 1 ? .parameter : .argument)
    }
    for _ in 0..<Int.random(in: 5...40, using: &numbers) { grow() }
    // The last values and some from the middle.
    var chosen = values.suffix(2)
    chosen += values.filter { _ in Int.random(in: 0..<12, using: &numbers) == 0 }
    var named: Set<Int> = []
    for value in chosen where named.insert(value.index).inserted {
      graph.output("y\(value.index)", value)
    }
  }

  private mutating func add(_ number: Int, _ shape: [Int], _ kind: Graph.InputKind) {
    let type = TensorType(shape)
    values.append(graph.input("x\(number)", type, kind))
    inputs["x\(number)"] = numbers.uniform(type.elementCount)
  }

  private mutating func pick(where isFit: (Value) -> Bool = { _ in true }) -> Value {
    let fit = values.filter(isFit)
    return fit.randomElement(using: &numbers) ?? values[0]
  }

  private mutating func grow() {
    let x = pick()
    let shape = x.type.shape
    let result: Value
    switch Int.random(in: 0..<14, using: &numbers) {
    case 0: result = graph.apply(Tanh(), x)
    case 1: result = graph.apply(Logistic(), x)
    case 2, 3: result = graph.apply(Add(), x, pick { $0.type == x.type })
    case 4: result = graph.apply(Multiply(), x, graph.apply(Tanh(), pick { $0.type == x.type }))
    case 5: result = graph.apply(Maximum(), x, pick { $0.type == x.type })
    case 6:
      let other = pick { $0.type == x.type }
      let isMore = graph.apply(Compare(.greater), x, graph.apply(Negate(), other))
      result = graph.apply(Select(), isMore, x, graph.zero(x.type))
    case 7 where x.type.rank > 0:
      let axes = shape.indices.filter { _ in Bool.random(using: &numbers) }
      let count = axes.reduce(1) { $0 * shape[$1] }
      let sum = graph.apply(Reduce(Bool.random(using: &numbers) ? .sum : .maximum, axes: axes), x)
      result = graph.apply(
        Multiply(), sum, graph.constant(1 / Double(count), sum.type))
    case 8, 9:
      // Spread something smaller over the shape of a value.
      let large = pick { $0.type.rank > 0 }
      let target = large.type.shape
      if let axis = target.indices.last,
        let row = values.last(where: { $0.type.shape == [target[axis]] })
      {
        let wide = graph.apply(BroadcastInDim(shape: target, axes: [axis]), row)
        result = graph.apply(Subtract(), large, wide)
      } else {
        let scalar = graph.apply(Reduce(.maximum, axes: Array(target.indices)), large)
        result = graph.apply(
          Add(), large, graph.apply(BroadcastInDim(shape: target, axes: []), scalar))
      }
    case 10 where x.type.rank > 1:
      result = graph.apply(Transpose(shape.indices.shuffled(using: &numbers)), x)
    case 11: result = graph.apply(Reshape(to: [x.type.elementCount]), x)
    case 12 where x.type.rank > 0:
      let axis = shape.indices.randomElement(using: &numbers) ?? 0
      var (starts, limits) = (shape.map { _ in 0 }, shape)
      starts[axis] = Int.random(in: 0..<shape[axis], using: &numbers)
      limits[axis] = Int.random(in: starts[axis] + 1...shape[axis], using: &numbers)
      result = graph.apply(Slice(starts: starts, limits: limits), x)
    case 13 where x.type.rank == 2:
      let product = graph.apply(
        DotGeneral(leftContracting: [1], rightContracting: [1]), x, pick { $0.type == x.type })
      result = graph.apply(
        Multiply(), product, graph.constant(1 / Double(shape[1]), product.type))
    default: result = graph.apply(Exponential(), graph.apply(Negate(), graph.apply(Abs(), x)))
    }
    if result.type.elementCount <= 20000, result.type.element == .real { values.append(result) }
  }
}
