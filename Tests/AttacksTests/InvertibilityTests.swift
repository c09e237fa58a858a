import Attacks
import AuditModel
import CPUBackend
import LinearAlgebra
import Networks
import Testing

/// How far closed forms would go, from the weights alone.
@Suite("invertibility")
struct InvertibilityTests {
  /// Two layers under test between an input and a classifier.
  struct Stack: Sendable, CustomStringConvertible {
    var description: String
    var network: Network
    var function: ActivationFunction

    init(
      _ description: String, _ first: Networks.Convolution, _ function: ActivationFunction,
      _ second: Networks.Convolution, input: Shape = [8, 8, 4]
    ) {
      self.description = description
      self.function = function
      network = Network(
        "stack", input: input,
        [
          "first": first, "f": Activation(function), "second": second, "g": Activation(function),
          "flatten": Flatten(), "classifier": Dense(outputs: 5),
        ])
    }
  }

  private static func convolution(
    _ filters: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    _ variant: Networks.Convolution.Variant = .plain
  ) -> Networks.Convolution {
    Networks.Convolution(
      variant: variant, filters: filters, kernel: [kernel, kernel], stride: [stride, stride],
      padding: .explicit([padding, padding]), groups: groups)
  }

  static let stacks: [Stack] = [
    Stack("ReLU", convolution(6, 3, padding: 1), .relu, convolution(8, 3, padding: 1)),
    Stack("sigmoid", convolution(6, 3, padding: 1), .sigmoid, convolution(4, 3, padding: 1)),
    Stack("leaky", convolution(5, 3), .leakyReLU(slope: 0.2), convolution(3, 3, stride: 2)),
    Stack("narrow", convolution(2, 2), .relu, convolution(2, 2, stride: 2)),
    Stack(
      "strided", convolution(12, 5, stride: 2, padding: 2), .tanh,
      convolution(12, 5, stride: 2, padding: 2)),
    Stack("pointwise", convolution(7, 1), .relu, convolution(9, 1)),
    Stack(
      "grouped", convolution(8, 3, padding: 1, groups: 2), .relu, convolution(6, 3, groups: 2)),
    Stack(
      "depthwise", convolution(2, 3, padding: 1, .depthwise), .elu(alpha: 1),
      convolution(1, 3, padding: 1, .depthwise)),
  ]

  /// Rank by rank against the matrix of all equations written down; both count singular values, but
  /// of parts here and of the whole there, so the analysis' own tolerance is far from any of them.
  @Test("ranks are those of all equations under each other", arguments: stacks)
  func ranks(stack: Stack) throws {
    let weights = try stack.network.initialParameters(.pyTorch, seed: 3)
    let chain = try #require(Self.analyse(stack.network, weights))
    let stacked = try StackedEquations(stack.network, weights: weights)
    let names = ["classifier", "second", "first"]
    #expect(chain.steps.map(\.layer) == names)
    for (node, layer) in [(2, "second"), (0, "first")] {
      let step = try #require(chain.steps.first { $0.layer == layer })
      let outputs = stacked.values[node + 1]
      let rows = stacked.rows(of: node) { stack.function.inverse(outputs[$0]) != nil }
      let rank = try StackedEquations.rank(rows, relativeTolerance: 1e-9)
      #expect(step.forwardEquations + step.gradientEquations == rows.count)
      if step.note.contains("counted") {
        #expect(step.rank.map { $0 >= rank } ?? true)
      } else {
        #expect(step.rank == rank, "\(stack) \(layer)")
        let isExact = rank == step.unknowns
        #expect(step.outcome == (isExact ? .exact : .subspace), "\(stack) \(layer)")
      }
    }
  }

  /// `√(tr (AᵀA)⁻¹ / n) · rms(A x) / rms(x)`; the trace by another factorisation, hence 1e-6.
  @Test("amplification is that of white noise on the weight gradient")
  func amplification() throws {
    let stack = Self.stacks[4]
    let weights = try stack.network.initialParameters(.pyTorch, seed: 3)
    let step = try #require(
      Self.analyse(stack.network, weights)?.steps.first { $0.layer == "second" })
    let stacked = try StackedEquations(stack.network, weights: weights)
    let matrix = StackedEquations.matrix(stacked.rows(of: 2))
    let variance = try SingularValueDecomposition(matrix).values.reduce(0) { $0 + 1 / ($1 * $1) }
    let x = stacked.values[1]
    let right = matrix(x)
    let size = right.euclideanNorm / Double(right.count).squareRoot() / x.euclideanNorm
    let expected = variance.squareRoot() * size
    #expect(step.outcome == .exact)
    #expect(abs((step.amplification ?? 0) / expected - 1) < 1e-6)
  }

  @Test("the LeNet of the first inversions is determined down to its input")
  func leNet() throws {
    let network = Network.leNet()
    let chain = try #require(
      Self.analyse(network, try network.initialParameters(.uniform, seed: 1)))
    #expect(chain.source == "weights alone, random inputs")
    #expect(chain.reachesInput && chain.stop == nil && chain.jointSolve == nil)
    #expect(chain.steps.allSatisfy { $0.outcome == .exact && $0.rank == $0.unknowns })
    #expect(chain.steps.map(\.layer) == ["fc", "body.4", "body.2", "body.0"])
    #expect(chain.steps.allSatisfy { ($0.amplification ?? 0) > 0 })
  }

  @Test("a layer that is too narrow ends the chain, and what is below depends on it")
  func narrow() throws {
    let stack = Self.stacks[3]
    let chain = try #require(
      Self.analyse(stack.network, try stack.network.initialParameters(.pyTorch, seed: 3)))
    let narrow = try #require(chain.steps.first { $0.layer == "second" })
    #expect(narrow.outcome == .subspace)
    #expect(!chain.reachesInput)
    #expect(chain.stop?.hasPrefix("the output of 'f' has \(narrow.unknowns) entries") == true)
    #expect(chain.steps.last?.note.hasPrefix("if the maps above were known") == true)
    #expect(chain.jointSolve?.hasPrefix("the model input has 256 values") == true)
  }

  @Test("an identity shortcut gives the entries of its input that stay active")
  func shortcut() throws {
    let network = Network(
      "residual", inputShapes: [[6, 6, 3]],
      nodes: [
        .init(name: "a", layer: Self.convolution(5, 3, padding: 1), sources: [.input(0)]),
        .init(name: "b", layer: Activation(.relu), sources: [.node(0)]),
        .init(name: "c", layer: Self.convolution(3, 3, padding: 1), sources: [.node(1)]),
        .init(name: "d", layer: Activation(.relu), sources: [.node(2)]),
        .init(name: "e", layer: Self.convolution(5, 3, padding: 1), sources: [.node(3)]),
        .init(name: "add", layer: Merge(.add), sources: [.node(1), .node(4)]),
        .init(name: "f", layer: Activation(.relu), sources: [.node(5)]),
        .init(name: "g", layer: Flatten(), sources: [.node(6)]),
        .init(name: "h", layer: Dense(outputs: 4), sources: [.node(7)]),
      ])
    let weights = try network.initialParameters(.pyTorch, seed: 8)
    let chain = try #require(Self.analyse(network, weights))
    let stacked = try StackedEquations(network, weights: weights)
    let step = try #require(chain.steps.first { $0.layer == "c" })
    var rows = stacked.rows(of: 2) { stacked.values[3][$0] > 0 }
    let active = stacked.values[6].indices.filter { stacked.values[6][$0] > 0 }
    for entry in active {
      var row = Array(repeating: 0.0, count: step.unknowns)
      row[entry] = 1
      rows.append(row)
    }
    #expect(chain.steps.first { $0.layer == "e" }?.outcome == .exact)
    #expect(step.forwardEquations + step.gradientEquations == rows.count)
    #expect(step.rank == (try StackedEquations.rank(rows, relativeTolerance: 1e-9)))
    #expect(stacked.gradients[2].contains { $0 != 0 })
  }

  static func analyse(_ network: Network, _ weights: ParameterTable) -> ChainSummary? {
    Invertibility.analyse(
      network, weights: weights, backend: CPUBackend(threads: 1), progress: { _ in })
  }
}
