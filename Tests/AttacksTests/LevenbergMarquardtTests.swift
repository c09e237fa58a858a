import Attacks
import Networks
import TensorIR
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
    func push(_ v: [Double], in precision: Precision) -> [Double] {
      [10 * (v[1] - 2 * x * v[0]), -v[0]]
    }
    func pull(_ u: [Double], in precision: Precision) -> [Double] {
      [-20 * x * u[0] - u[1], 10 * u[0]]
    }
  }

  /// `A (x − x₀)` for a matrix with columns of three sizes.
  private final class Plane: ResidualFunction {
    let rows: [[Double]]
    let truth: [Double]
    /// Products with this matrix are what single precision has of them.
    let coarse: [[Double]]
    private(set) var doubles = 0
    var count: Int { rows.count }

    /// - Parameter error: Of each element in single precision.
    init(error: Double) {
      var generator = SplitMix64(seed: 12)
      let rows = (0..<40).map { _ in
        (0..<12).map { generator.normal() * [1, 0.03, 1e-3][$0 % 3] }
      }
      self.rows = rows
      truth = (0..<12).map { _ in generator.normal() }
      coarse = rows.map { $0.map { $0 + error * generator.normal() } }
    }

    private func times(_ matrix: [[Double]], _ v: [Double]) -> [Double] {
      matrix.map { zip($0, v).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    func residuals(at x: [Double]) -> [Double] { times(rows, zip(x, truth).map { $0 - $1 }) }
    func linearize(at x: [Double]) {}
    func push(_ v: [Double], in precision: Precision) -> [Double] {
      if precision == .double { doubles += 1 }
      return times(precision == .single ? coarse : rows, v)
    }
    func pull(_ u: [Double], in precision: Precision) -> [Double] {
      let matrix = precision == .single ? coarse : rows
      return truth.indices.map { column in
        zip(matrix, u).reduce(0) { $0 + $1.0[column] * $1.1 }
      }
    }
  }

  /// The slope is exact, so each step shrinks the error.
  ///
  /// What remains of it is what the other products are off, over the smallest columns: a tenth at worst.
  @Test(
    "products in single precision lead to the solution in double precision",
    arguments: [0, 1e-6, 1e-4])
  func precisions(error: Double) throws {
    let plane = Plane(error: error)
    var marquardt = LevenbergMarquardt()
    marquardt.goal = 1e-28
    let outcome = try marquardt.solve(plane, from: Array(repeating: 0, count: 12))
    #expect(relativeError(outcome.point, plane.truth) < 1e-10)
    #expect(plane.doubles == 0)
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
    marquardt.bounds = [-0.5...0.8, -0.5...0.8]
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
