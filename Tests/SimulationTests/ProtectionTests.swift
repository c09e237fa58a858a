import Networks
import Simulation
import Tensors
import Testing

@Suite("Protections")
struct ProtectionTests {
  private let network = Network("one", input: [100], ["fc": Dense(outputs: 100, hasBias: true)])

  /// A table with 10,000 weights and 100 biases between −1 and 1.
  private var table: ParameterTable {
    var generator = SplitMix64(seed: 5)
    func tensor(_ shape: [Int]) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in generator.uniform(-1, 1) }, shape: shape)
    }
    return ParameterTable(
      convention: .channelsLast,
      [
        .init(node: 0, role: .weight): tensor([100, 100]),
        .init(node: 0, role: .bias): tensor([100]),
      ])
  }

  private func entries(_ table: ParameterTable) -> [Double] {
    table.keys.flatMap { table[$0.node, $0.role]?.elements() ?? [] }
  }

  private func applied(_ change: (inout Protection) -> Void) throws -> ParameterTable {
    var protection = Protection()
    protection.storage = .float64
    change(&protection)
    return try protection.applied(to: table, of: network)
  }

  @Test("nothing asked for leaves every entry as it is")
  func none() throws {
    #expect(try entries(applied { _ in }) == entries(table))
  }

  @Test("noise has the stated deviation in every tensor, and starts with the seed")
  func noise() throws {
    let noisy = try applied { $0.noise = 0.25 }
    let noise = zip(entries(noisy), entries(table)).map { $0 - $1 }
    let deviation = (noise.reduce(0) { $0 + $1 * $1 } / Double(noise.count)).squareRoot()
    // Five standard errors of a deviation over 10,100 draws, 1/√(2n) each; of the mean, below.
    #expect(abs(deviation / 0.25 - 1) < 0.035)
    let mean: Double = noise.reduce(0, +) / Double(noise.count)
    #expect(abs(mean) < 0.0125)
    #expect(try entries(applied { $0.noise = 0.25 }) == entries(noisy))
    let other = try applied {
      $0.noise = 0.25
      $0.seed = 1
    }
    #expect(entries(other) != entries(noisy))
  }

  @Test("the largest entries of all tensors are kept", arguments: [0.01, 0.5, 1])
  func sparsity(share: Double) throws {
    let before = entries(table)
    let after = entries(try applied { $0.keptShare = share })
    let kept = after.indices.filter { after[$0] != 0 }
    #expect(kept.count == Int((share * 10_100).rounded(.up)))
    #expect(kept.allSatisfy { after[$0] == before[$0] })
    let least = kept.map { before[$0].magnitude }.min() ?? 0
    #expect(after.indices.allSatisfy { after[$0] != 0 || before[$0].magnitude <= least })
  }

  @Test("equal entries do not exceed the share")
  func ties() throws {
    let even = ParameterTable(
      convention: .channelsLast,
      [.init(node: 0, role: .bias): Tensor(Array(repeating: -2, count: 100), shape: [100])])
    var protection = Protection()
    protection.keptShare = 0.1
    let after = entries(try protection.applied(to: even, of: network))
    #expect(after.count { $0 == -2 } == 10 && after.count { $0 == 0 } == 90)
  }

  @Test("n bits leave 2ⁿ − 1 values in each tensor, and err by half a step", arguments: [2, 4, 8])
  func quantization(bits: Int) throws {
    let quantized = try applied { $0.quantization = .uniform(bits: bits) }
    for key in table.keys {
      let before = table[key.node, key.role]?.elements() ?? []
      let after = quantized[key.node, key.role]?.elements() ?? []
      let largest = before.map(\.magnitude).max() ?? 0
      let step = largest / Double(1 << (bits - 1) - 1)
      let levels = 1 << bits - 1
      #expect(Set(after).count <= levels)
      let allowed = step / 2 * (1 + 1e-12)
      #expect(zip(before, after).allSatisfy { abs($0 - $1) <= allowed })
      // The largest entry is so many steps, multiplied out again.
      let top = after.map(\.magnitude).max() ?? 0
      #expect(abs(top - largest) <= largest * 1e-15)
    }
  }

  @Test("a format is recorded as the resolution", arguments: [ElementKind.float16, .bfloat16])
  func format(kind: ElementKind) throws {
    let rounded = try applied { $0.quantization = .format(kind) }
    #expect(rounded.tensors.values.allSatisfy { $0.resolution == kind })
    for (after, before) in zip(entries(rounded), entries(table)) {
      let allowed: Double = before.magnitude * kind.unitRoundoff + kind.absoluteRoundoff
      #expect(abs(after - before) <= allowed)
    }
    #expect(
      try entries(applied { $0.storage = .float32 }) == entries(table).map { Double(Float($0)) })
  }

  @Test("what half precision cannot hold is an error that names the layer")
  func overflow() throws {
    let large = ParameterTable(
      convention: .channelsLast,
      [.init(node: 0, role: .bias): Tensor([1, 70_000], shape: [2])])
    var protection = Protection()
    protection.quantization = .format(.float16)
    let error = #expect(throws: SimulationError.self) {
      _ = try protection.applied(to: large, of: network)
    }
    #expect(error?.reason == .beyondFormat(layer: "fc", value: 70_000, kind: .float16))
  }
}
