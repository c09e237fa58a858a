import Attacks
import Testing

@Suite("Levenberg-Marquardt")
struct LevenbergMarquardtTests {
  /// Rosenbrock's valley as residuals: `10 (y − x²)` and `1 − x`; the minimum is at (1, 1).
  private final class Valley: ResidualFunction {
    var count: Int { 2 }
    private var x = 0.0

    func residuals(at point: [Double]) -> [Double] {
      [10 * (point[1] - point[0] * point[0]), 1 - point[0]]
    }
    func linearize(at point: [Double]) { x = point[0] }
    func push(_ v: [Double]) -> [Double] { [10 * (v[1] - 2 * x * v[0]), -v[0]] }
    func pull(_ u: [Double]) -> [Double] { [-20 * x * u[0] - u[1], 10 * u[0]] }
  }

  /// Damping shrinks with every step, so the last steps are Gauss-Newton's: quadratic down to the
  /// rounding of residuals.
  @Test("the valley's lowest point is found from both sides", arguments: [[-1.2, 1], [2, -1]])
  func free(start: [Double]) throws {
    let outcome = try LevenbergMarquardt().solve(Valley(), from: start)
    #expect(outcome.objective < 1e-16)
    #expect(relativeError(outcome.point, [1, 1]) < 1e-7)
  }

  /// On the face x = 0.8 of the box, y = 0.64 makes the first residual vanish.
  @Test("a box that excludes the lowest point stops the search at its face")
  func box() throws {
    var marquardt = LevenbergMarquardt()
    marquardt.range = -0.5...0.8
    let outcome = try marquardt.solve(Valley(), from: [0, 0])
    #expect(outcome.point.allSatisfy { (-0.5...0.8).contains($0) })
    // The remaining 0.2² ends the search at a gain of a thousandth, 4e-5: √4e-5 / 10 in y.
    #expect(outcome.point[0] == 0.8 && abs(outcome.point[1] - 0.64) < 1e-3)
  }

  @Test("a limit of no steps leaves the start as it is")
  func noSteps() throws {
    var marquardt = LevenbergMarquardt()
    marquardt.stepLimit = 0
    #expect(try marquardt.solve(Valley(), from: [0.5, 0.5]).point == [0.5, 0.5])
  }
}
