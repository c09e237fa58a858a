import Networks
import Tensors
import Testing

@Suite("Initialisation")
struct InitializationTests {
  /// The reference implementation's first numbers for seed 1234567.
  @Test("the stream of whole numbers is that of its authors")
  func stream() {
    var stream = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in stream.next() }
        == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test("normal numbers have the moments and tails of the normal distribution")
  func normal() {
    var stream = SplitMix64(seed: 5)
    let count = 50_000
    let numbers = (0..<count).map { _ in stream.normal() }
    let moments = (1...4).map { power in
      numbers.reduce(0) { sum, x in sum + (0..<power).reduce(1) { y, _ in y * x } } / Double(count)
    }
    // Five standard errors of each moment: √(variance of xᵏ / count).
    for (power, (expected, variance)) in [(0.0, 1.0), (1, 2), (0, 15), (3, 96)].enumerated() {
      #expect(abs(moments[power] - expected) < 5 * (variance / Double(count)).squareRoot())
    }
    // P(|x| > 3) = 0.0027.
    let beyond = Double(numbers.count { abs($0) > 3 })
    #expect(abs(beyond - 0.0027 * Double(count)) < 5 * (0.0027 * Double(count)).squareRoot())
  }

  @Test("a seed gives the same parameters again, and another seed others")
  func seeds() throws {
    let network = Network.leNet()
    let draw = { (seed: UInt64) in
      let table = try network.initialParameters(.pyTorch, seed: seed)
      return table.keys.map { table.tensors[$0]?.elements() }
    }
    #expect(try draw(7) == draw(7))
    #expect(try zip(draw(7), draw(8)).allSatisfy { $0 != $1 })
  }

  struct Spread: Sendable {
    var initialization: Initialization
    /// The largest magnitude and the standard deviation of a weight with 9·6 inputs and 9·8 outputs.
    var convolution: (largest: Double, deviation: Double)
    var bias: Double
  }

  static let spreads = [
    Spread(initialization: .pyTorch, convolution: uniform(1 / 54.0.squareRoot()), bias: 0.1361),
    Spread(initialization: .uniform, convolution: uniform(0.5), bias: 0.5),
    Spread(
      initialization: .kaimingNormal, convolution: (.infinity, (2 / 72.0).squareRoot()),
      bias: 0.1361),
    Spread(initialization: .vgg, convolution: (.infinity, (2 / 72.0).squareRoot()), bias: 0),
    Spread(
      initialization: .xavierUniform, convolution: uniform((6 / 126.0).squareRoot()), bias: 0),
    // Cut at two deviations, a normal distribution keeps 0.8796 of its deviation.
    Spread(initialization: .truncatedNormal, convolution: (0.04, 0.02 * 0.8796), bias: 0),
  ]

  static func uniform(_ bound: Double) -> (largest: Double, deviation: Double) {
    (bound, bound / 3.0.squareRoot())
  }

  @Test("weights and biases spread as the papers say")
  func spread() throws {
    let layer = Networks.Convolution(filters: 8, kernel: [3, 3], channelsFirst: true)
    let network = Network("one", input: [6, 5, 5], ["conv": layer])
    for spread in Self.spreads {
      var weights: [Double] = []
      var biases: [Double] = []
      for seed in 0..<10 {
        let table = try network.initialParameters(spread.initialization, seed: UInt64(seed))
        weights += table[0, .weight]?.elements() ?? []
        biases += table[0, .bias]?.elements() ?? []
        #expect(table[0, .weight]?.shape == [8, 6, 3, 3])
      }
      let (largest, deviation) = spread.convolution
      let squares = weights.reduce(0) { $0 + $1 * $1 } / Double(weights.count)
      #expect(weights.allSatisfy { abs($0) <= largest })
      // 4,320 numbers: a deviation is known to about 1 %.
      #expect(abs(squares.squareRoot() / deviation - 1) < 0.05, "\(spread.initialization)")
      let widest = biases.map(abs).max() ?? 0
      #expect(widest <= spread.bias * 1.0001 && widest >= spread.bias * 0.9)
    }
  }
}
