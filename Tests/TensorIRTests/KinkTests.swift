import TensorIR
import Testing

/// What happens where a derivative does not exist, and where there is no number.
@Suite("Kinks, ties and NaN")
struct KinkTests {
  /// The slope of `primitive` at one point, by both modes.
  private func slopes(
    _ primitive: some Primitive, _ x: [[Double]], along v: [[Double]]
  ) -> (forward: [Double], reverse: [[Double]]) {
    var graph = Graph()
    let inputs = x.enumerated().map { graph.input("x\($0)", TensorType([$1.count])) }
    let result = graph.apply(primitive, inputs)
    let directions = Dictionary(
      uniqueKeysWithValues: zip(inputs, v).map { ($0, graph.table($1, $0.type)) })
    let tangent = graph.pushforward(of: result, along: directions)
    let ones = graph.constant(1, result.type)
    let gradients = graph.pullback(of: [(result, ones)], to: inputs)
    let values = ReferenceInterpreter().evaluate(
      [tangent] + gradients, in: graph,
      inputs: Dictionary(uniqueKeysWithValues: zip(inputs, x)))
    return (values[0], Array(values[1...]))
  }

  @Test("a maximum and a minimum of equals move with their second operand")
  func binaryTies() {
    for primitive in [Maximum(), Minimum()] as [any Primitive] {
      let (forward, reverse) = slopes(primitive, [[1, 0], [1, 0]], along: [[3, 5], [7, 9]])
      #expect(forward == [7, 9])
      #expect(reverse == [[0, 0], [1, 1]])
    }
  }

  @Test("the slope of max(x, 0) at 0 is 0, as frameworks define ReLU")
  func rectifierAtZero() {
    var graph = Graph()
    let x = graph.input("x", TensorType([3]))
    let y = graph.apply(Maximum(), x, graph.zero(x.type))
    let slope = graph.pullback(of: [(y, graph.constant(1, y.type))], to: [x])[0]
    let elements = ReferenceInterpreter().evaluate(slope, in: graph, inputs: [x: [-1, 0, 1]])
    #expect(elements == [0, 0, 1])
  }

  @Test("elements that attain a maximum share its slope equally")
  func reductionTies() {
    let (forward, reverse) = slopes(
      Reduce(.maximum, axes: [0]), [[2, -1, 2, 2, 0]], along: [[3, 100, 4, 5, 100]])
    let third = 1.0 / 3
    #expect(forward == [4])
    #expect(reverse == [[third, 0, third, third, 0]])
  }

  @Test("the absolute value is flat at 0")
  func absoluteValue() {
    #expect(slopes(Abs(), [[-2, 0, 3]], along: [[1, 1, 1]]).forward == [-1, 0, 1])
  }

  @Test("the first of equals in row-major order wins a window")
  func windowTies() {
    let geometry = WindowGeometry(window: [2, 2], stride: [1, 1], low: [1, 1], high: [0, 0])
    let type = TensorType([1, 2, 2, 1])
    let places = WindowArgmax(geometry).reference(
      [[5, 5, 5, 5]], types: [type], result: TensorType([1, 2, 2, 1], .index))
    #expect(places == [0, 0, 0, 0])
  }

  @Test("padding never wins a window, not even against minus infinity")
  func paddingLoses() {
    let geometry = WindowGeometry(window: [2], stride: [2], low: [1], high: [0])
    let places = WindowArgmax(geometry).reference(
      [[-.infinity, -7, -.infinity]], types: [TensorType([1, 3, 1])],
      result: TensorType([1, 2, 1], .index))
    #expect(places == [0, 1])
  }

  /// A network that makes a NaN must not look healthy behind its next pooling layer.
  @Test("NaN wins every maximum")
  func notANumber() {
    let nan = Double.nan
    for (x, y) in [(nan, 1.0), (1.0, nan), (nan, nan), (nan, -.infinity)] {
      #expect(Maximum()(x, y).isNaN)
      #expect(Minimum()(x, y).isNaN)
      for direction in Compare.Direction.allCases {
        #expect(Compare(direction)(x, y) == (direction == .notEqual))
      }
    }
    let reduced = Reduce(.maximum, axes: [0]).reference(
      [[1, nan, 2]], types: [TensorType([3])], result: .scalar)
    #expect(reduced[0].isNaN)
    let geometry = WindowGeometry(window: [3], stride: [3], low: [0], high: [0])
    for window in [[nan, 1, 2], [1, nan, 2], [1, 2, nan]] {
      let place = WindowArgmax(geometry).reference(
        [window], types: [TensorType([1, 3, 1])], result: TensorType([1, 1, 1], .index))
      #expect(window[Int(place[0])].isNaN, "\(window)")
    }
  }
}
