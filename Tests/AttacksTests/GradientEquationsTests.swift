import AuditModel
import CPUBackend
import Networks
import TensorIR
import Tensors
import Testing

@testable import Attacks

@Suite("Equations of a batch's gradient")
struct GradientEquationsTests {
  private static func equations(_ sample: GradientSample) throws -> GradientEquations {
    let problem = try InversionProblem(
      sample.observation(.float64), labels: [1, 2], seeksLabels: false, knowing: Knowledge(),
      box: nil)
    return try GradientEquations(
      InversionPrograms(problem: problem), on: CPUBackend(threads: 1))
  }

  @Test("residuals vanish at the truth, and products are those of the Jacobian")
  func products() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform, samples: 2)
    let equations = try Self.equations(sample)
    let truth = sample.inputs.flatMap { $0 }
    #expect(equations.relativeError(of: try equations.residuals(at: truth)) < 1e-12)

    var generator = SplitMix64(seed: 11)
    let point = truth.map { $0 + 0.1 * generator.normal() }
    let direction = truth.map { _ in generator.normal() }
    try equations.linearize(at: point)
    let moved = try equations.push(direction, in: .double)
    let step = 1e-5
    let ahead = try equations.residuals(at: zip(point, direction).map { $0 + step * $1 })
    let behind = try equations.residuals(at: zip(point, direction).map { $0 - step * $1 })
    let differences = zip(ahead, behind).map { ($0 - $1) / (2 * step) }
    #expect(relativeError(moved, differences) < 1e-7)

    let cotangent = moved.map { _ in generator.normal() }
    let slope = try equations.pull(cotangent, in: .double)
    let (left, right) = (
      zip(cotangent, moved).reduce(0) { $0 + $1.0 * $1.1 },
      zip(slope, direction).reduce(0) { $0 + $1.0 * $1.1 }
    )
    #expect(abs(left - right) < 1e-10 * abs(left))
  }

  /// The slope in inputs and in the numbers behind labels, against central differences.
  @Test("the gradient of an objective with sought labels is its slope")
  func soughtLabels() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform, samples: 2)
    let problem = try InversionProblem(
      sample.observation(.float64), labels: nil, seeksLabels: true, knowing: Knowledge(), box: nil)
    let function = try InversionPrograms(problem: problem)
      .objective(InversionSettings(.dlg), on: CPUBackend(threads: 1))
    var generator = SplitMix64(seed: 13)
    let point = (0..<function.count).map { _ in generator.normal() }
    let direction = (0..<function.count).map { _ in generator.normal() }
    let gradient = try function.evaluate(at: point).gradient
    let exact = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
    let step = 1e-6
    let values = try [step, -step].map { step in
      try function.evaluate(at: zip(point, direction).map { $0 + step * $1 }).objective
    }
    let difference = (values[0] - values[1]) / (2 * step)
    #expect(abs(exact - difference) < 1e-6 * max(abs(exact), 1))
  }
}
