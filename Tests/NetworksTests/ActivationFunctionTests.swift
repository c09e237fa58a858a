import Testing

@testable import Networks

@Suite("Activation function")
struct ActivationFunctionTests {
  static let scalar: [ActivationFunction] = [
    .linear, .relu, .relu6, .sigmoid, .hardSigmoid, .tanh, .softplus, .softsign, .selu, .silu,
    .exponential, .leakyReLU(slope: 0.01), .leakyReLU(slope: 0.3), .elu(alpha: 1),
    .elu(alpha: 0.5), .gelu(approximate: false), .gelu(approximate: true),
  ]
  /// Steps of 1/8 from −8 to 8, moved off the kinks at −3, 0, 3 and 6.
  static let grid = (-64...64).map { Double($0) / 8 + 0.03 }

  @Test("the slope is the central difference of the value", arguments: scalar)
  func slope(function: ActivationFunction) throws {
    let step = 1e-5
    for z in Self.grid {
      let ahead = try #require(function.value(z + step))
      let behind = try #require(function.value(z - step))
      let slope = try #require(function.slope(z))
      // Truncation is step² φ‴ / 6, rounding is 1e-16 φ / step.
      let tolerance = 1e-9 * max(1, abs(ahead))
      #expect(abs(slope - (ahead - behind) / (2 * step)) <= tolerance, "at \(z)")
    }
  }

  /// Of a smooth function, second differences 1e-4 apart differ by 1e-4 times its third derivative.
  @Test(
    "a function has kinks where its slope or the slope of that jumps",
    arguments: scalar + [.hardSiLU, .mish])
  func kinks(function: ActivationFunction) throws {
    let step = 1e-4
    func curvature(_ z: Double) throws -> Double {
      let ahead = try #require(function.slope(z + step / 4))
      return (ahead - (try #require(function.slope(z - step / 4)))) / (step / 2)
    }
    let jumps = try [-3.0, 0, 3, 6].contains { z in
      let slopes = (
        try #require(function.slope(z - step)), try #require(function.slope(z + step))
      )
      let curvatures = (try curvature(z - step), try curvature(z + step))
      return abs(slopes.1 - slopes.0) > 0.05 * max(1, abs(slopes.0))
        || abs(curvatures.1 - curvatures.0) > 0.05 * max(1, abs(curvatures.0))
    }
    #expect(function.hasKink == jumps)
  }

  @Test("the slope at an output is the slope at the input", arguments: scalar)
  func slopeAtOutput(function: ActivationFunction) throws {
    for z in Self.grid {
      let output = try #require(function.value(z))
      guard let slope = function.slope(atOutput: output) else {
        // A function that is not monotone cannot be read backwards.
        #expect([.silu, .gelu(approximate: false), .gelu(approximate: true)].contains(function))
        continue
      }
      let direct = try #require(function.slope(z))
      // A saturated output keeps the slope to the spacing of numbers near one.
      #expect(abs(slope - direct) <= 4e-16 * max(1, abs(direct)), "at \(z)")
    }
  }

  /// An output off by its rounding moves the input by that over the slope; the way back rounds too.
  @Test("the inverse of the value is the input", arguments: scalar + [.hardSiLU, .mish])
  func inverse(function: ActivationFunction) throws {
    let isMonotone = ![
      .silu, .hardSiLU, .mish, .gelu(approximate: false), .gelu(approximate: true),
    ].contains(function)
    for z in Self.grid where isMonotone || z > 0 {
      let output = try #require(function.value(z))
      let slope = try #require(function.slope(z))
      // Where a function is flat, nothing leads back.
      guard slope > 0 else {
        #expect(function.inverse(output) == nil, "at \(z)")
        continue
      }
      // tanh(8) keeps a few bits of its distance from one, beyond that the output is one.
      guard abs(output) != 1 || slope > 1e-12 else { continue }
      let found = try #require(function.inverse(output), "at \(z)")
      let tolerance = 4e-16 * (max(abs(output), 1) / slope + abs(z))
      #expect(abs(found - z) <= tolerance, "at \(z)")
    }
  }

  /// Outputs that no input gives, or that several give.
  static let withoutInverse: [(ActivationFunction, [Double])] = [
    (.relu, [0, -1]), (.relu6, [0, 6, 7, -1]), (.sigmoid, [0, 1, -0.1, 1.1]),
    (.hardSigmoid, [0, 1, 2]), (.tanh, [1, -1, 1.5]), (.softplus, [0, -1]),
    (.softsign, [1, -1, 2]), (.exponential, [0, -1]), (.leakyReLU(slope: 0), [-1, 0]),
    (.leakyReLU(slope: -0.1), [-1]), (.elu(alpha: 0.5), [-0.5, -0.6]), (.selu, [-1.8]),
    (.silu, [0, -0.1]), (.hardSiLU, [0, -0.1]), (.mish, [0, -0.1]),
    (.gelu(approximate: false), [0, -0.1]), (.softmax, [0.5]), (.logSoftmax, [-1]),
    (.unknown("swirl"), [1]), (.relu, [.nan]), (.tanh, [.nan]), (.linear, [.nan, .infinity]),
  ]

  @Test("an output without a single input has no inverse", arguments: withoutInverse)
  func noInverse(function: ActivationFunction, outputs: [Double]) {
    for output in outputs { #expect(function.inverse(output) == nil, "at \(output)") }
  }

  /// Function, input, value; by hand or from the papers' definitions.
  static let values: [(ActivationFunction, Double, Double)] = [
    (.relu, -1, 0), (.relu, 2, 2), (.relu6, 7, 6), (.hardSigmoid, 0, 0.5), (.hardSigmoid, 3, 1),
    (.hardSigmoid, -3, 0), (.sigmoid, 0, 0.5), (.softplus, 0, 0.693_147_180_559_945_3),
    (.softsign, -1, -0.5), (.leakyReLU(slope: 0.3), -2, -0.6),
    (.elu(alpha: 0.5), -1, -0.316_060_279_414_278_84), (.selu, 1, 1.050_700_987_355_480_5),
    (.selu, -1, -1.111_330_737_812_562_8), (.silu, 1, 0.731_058_578_630_004_9),
    (.gelu(approximate: false), 1, 0.841_344_746_068_542_9),
    (.gelu(approximate: true), 1, 0.841_191_990_608_276_4),
    (.exponential, 1, 2.718_281_828_459_045), (.tanh, 0.5, 0.462_117_157_260_009_76),
  ]

  @Test("values are those of the definition", arguments: values)
  func value(function: ActivationFunction, z: Double, expected: Double) throws {
    #expect(abs(try #require(function.value(z)) - expected) <= 4e-16 * max(1, abs(expected)))
  }

  @Test("far out there is no overflow where the limit is finite", arguments: scalar)
  func extremes(function: ActivationFunction) throws {
    for z in [-1e3, -745.0, 700, 1e3] where function != .exponential || z < 709 {
      #expect(try #require(function.value(z)).isFinite, "at \(z)")
      #expect(try #require(function.slope(z)).isFinite, "at \(z)")
    }
  }

  @Test("functions without a value have no slope either")
  func notScalar() {
    for function in [ActivationFunction.softmax, .unknown("swirl")] {
      #expect(function.value(1) == nil && function.slope(1) == nil)
      #expect(function.slope(atOutput: 1) == nil)
    }
  }

  @Test("only a unit that is off for a sample can belong to another one alone", arguments: scalar)
  func silence(function: ActivationFunction) {
    let isOff = function.value(-2) == 0 && function.slope(-2) == 0
    // The hard sigmoid is off below −3 only.
    #expect(function.silencesUnits == isOff)
  }

  @Test(
    "names of both frameworks are known",
    arguments: [
      ("relu", .relu), ("ReLU", .relu), ("ReLU6", .relu6), ("leaky_relu", .leakyReLU(slope: 0.2)),
      ("LeakyReLU", .leakyReLU(slope: 0.2)), ("swish", .silu), ("SiLU", .silu),
      ("identity", .linear), ("", .linear), ("hard_sigmoid", .hardSigmoid),
      ("Hardsigmoid", .hardSigmoid), ("elu", .elu(alpha: 1)), ("gelu", .gelu(approximate: false)),
      ("GELU", .gelu(approximate: false)), ("Softmax", .softmax), ("exp", .exponential),
      ("swirl", .unknown("swirl")), ("Re_Lu_7", .unknown("Re_Lu_7")),
    ] as [(String, ActivationFunction)])
  func names(name: String, function: ActivationFunction) {
    #expect(ActivationFunction(named: name) == function)
  }

  @Test("a function is found under its own name")
  func roundTrip() {
    let defaults: [ActivationFunction] = [
      .linear, .relu, .relu6, .sigmoid, .hardSigmoid, .tanh, .softplus, .softsign, .selu, .silu,
      .exponential, .leakyReLU(slope: 0.2), .elu(alpha: 1), .gelu(approximate: false), .softmax,
      .unknown("swirl"),
    ]
    for function in defaults { #expect(ActivationFunction(named: function.name) == function) }
  }
}
