import Attacks
import AuditModel
import Networks
import Testing

/// Where chains from the weights alone begin, end, and leap over poolings.
@Suite("invertibility behind poolings")
struct InvertibilityPoolingTests {
  private static func network(
    _ pooling: Pooling, outputs: Int, padding: Int, stride: Int = 1,
    function: ActivationFunction = .relu
  ) -> Network {
    Network(
      "pooled", input: [8, 8, 3],
      [
        "first": Networks.Convolution(
          filters: 12, kernel: [3, 3], stride: [2, 2], padding: .same),
        "f": Activation(.relu),
        "second": Networks.Convolution(
          filters: outputs, kernel: [3, 3], stride: [stride, stride],
          padding: .explicit([padding, padding])),
        "g": Activation(function), "pool": pooling, "flatten": Flatten(),
        "classifier": Dense(outputs: 6),
      ])
  }

  private static func chain(_ network: Network) throws -> ChainSummary? {
    InvertibilityTests.analyse(network, try network.initialParameters(.pyTorch, seed: 5))
  }

  static let poolings = [
    Pooling(.average, keepsAxes: true), Pooling(.maximum, window: [2, 2]),
  ]

  @Test("the padding walk leads through poolings of wide layers", arguments: 0..<2)
  func walk(pooling: Int) throws {
    let chain = try #require(
      try Self.chain(Self.network(Self.poolings[pooling], outputs: 48, padding: 1)))
    let step = try #require(chain.steps.first { $0.layer == "pool" })
    #expect(step.outcome == .gradientOnly)
    #expect(step.note.contains("by the padding walk over the weight gradient of 'second'"))
    #expect(chain.steps.first { $0.layer == "second" }?.outcome == .exact)
    #expect(chain.stop?.contains("pool") != true)
  }

  @Test(
    "without padding, outputs or two slopes there is no walk",
    arguments: [
      (1, 48, 0, 1, "padding"), (0, 8, 1, 1, "output channels"), (0, 48, 1, 2, "stride 2"),
    ])
  func obstacle(
    pooling: Int, outputs: Int, padding: Int, stride: Int, reason: String
  ) throws {
    let chain = try #require(
      try Self.chain(
        Self.network(Self.poolings[pooling], outputs: outputs, padding: padding, stride: stride)))
    let step = try #require(chain.steps.first { $0.layer == "pool" })
    #expect(step.outcome == .stopped)
    #expect(step.note.contains(reason))
    #expect(chain.stop?.contains(reason) == true)
    #expect(!chain.reachesInput)
  }

  @Test("behind an average few positions without padding are tried, and put in order by overlaps")
  func enumeration() throws {
    let chain = try #require(
      try Self.chain(Self.network(Self.poolings[0], outputs: 48, padding: 0)))
    let step = try #require(chain.steps.first { $0.layer == "pool" })
    #expect(step.outcome == .gradientOnly)
    #expect(step.route == "enumeration of positions")
    #expect(chain.steps.first { $0.layer == "second" }?.outcome == .exact)
  }

  @Test("smooth slopes behind an average stay unknown")
  func smooth() throws {
    let chain = try #require(
      try Self.chain(Self.network(Self.poolings[0], outputs: 48, padding: 1, function: .tanh)))
    #expect(chain.stop?.contains("the slopes of tanh are not of two values") == true)
  }

  @Test("a stack without a dense layer starts at its output, a separable one is ranked")
  func withoutDense() throws {
    let network = Network(
      "open", input: [8, 8, 3],
      [
        "first": Networks.Convolution(
          variant: .separable, filters: 8, kernel: [3, 3], padding: .same),
        "f": Activation(.tanh),
        "second": Networks.Convolution(filters: 4, kernel: [3, 3], padding: .same),
        "pool": Pooling(.average), "softmax": Activation(.softmax),
      ])
    let chain = try #require(
      InvertibilityTests.analyse(network, ParameterTable(convention: .channelsLast)))
    let note = try #require(chain.steps.first?.note)
    #expect(note.contains("the network has no dense layer: the analysis starts at its output"))
    #expect(note.contains("5 of 5 parameters are missing from the file"))
    // The gradient is the same everywhere, so the taps differ by what the border cuts off: 9 ways.
    #expect(chain.steps.first?.layer == "second" && chain.steps.first?.rank == 9 * 8)
    #expect(chain.steps.last?.gradientEquations == 9 * 3 + 3 * 8)
  }

  @Test("a network without convolutions, and one that was guessed, have no chain")
  func others() throws {
    let dense = Network.perceptron(widths: [8, 4], input: [6])
    #expect(try Self.chain(dense) == nil)
    var guessed = Self.network(Self.poolings[0], outputs: 8, padding: 1)
    guessed.origin = .inferred
    #expect(InvertibilityTests.analyse(guessed, ParameterTable(convention: .channelsLast)) == nil)
  }

  @Test("a layer that no closed form passes ends the chain by name")
  func unknown() throws {
    let network = Network(
      "normalised", input: [6, 6, 3],
      [
        "first": Networks.Convolution(filters: 6, kernel: [3, 3]),
        "f": Activation(.gelu(approximate: false)), "flatten": Flatten(),
        "classifier": Dense(outputs: 6),
      ])
    let chain = try #require(try Self.chain(network))
    #expect(chain.stop?.contains("outputs of gelu have two possible inputs at 'f'") == true)
  }
}
