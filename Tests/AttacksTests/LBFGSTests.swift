import Attacks
import Networks
import TensorIR
import Testing

@Suite("L-BFGS")
struct LBFGSTests {
  /// A function written down as value and gradient, which keeps the points it was asked for.
  private final class Formula: MatchingObjective {
    let count: Int
    private let formula: ([Double]) -> (Double, [Double])

    init(_ count: Int, _ formula: @escaping ([Double]) -> (Double, [Double])) {
      self.count = count
      self.formula = formula
    }

    func evaluate(at x: [Double]) -> (objective: Double, gradient: [Double]) { formula(x) }
  }

  /// `Σ 100 (x[i+1] − x[i]²)² + (1 − x[i])²`, which is 0 at (1, …, 1); Rosenbrock 1960.
  private static func valley(_ count: Int) -> Formula {
    Formula(count) { x in
      var (value, gradient) = (0.0, x.map { _ in 0.0 })
      for i in 0..<x.count - 1 {
        let (a, b) = (x[i + 1] - x[i] * x[i], 1 - x[i])
        value += 100 * a * a + b * b
        gradient[i] -= 400 * a * x[i] + 2 * b
        gradient[i + 1] += 200 * a
      }
      return (value, gradient)
    }
  }

  /// `½ Σ k (x[k] − k)²` for k from 1.
  private static func bowl(_ count: Int) -> Formula {
    Formula(count) { x in
      let errors = x.enumerated().map { $1 - Double($0 + 1) }
      let gradient = errors.enumerated().map { Double($0 + 1) * $1 }
      return (zip(errors, gradient).reduce(0) { $0 + $1.0 * $1.1 / 2 }, gradient)
    }
  }

  private static func start(_ count: Int) -> [Double] {
    (0..<count).map { $0.isMultiple(of: 2) ? -1.2 : 1 }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Second differences of 1e-16 limit how near the point comes: about 1e-8 for curvatures near one.
  @Test("the lowest point of Rosenbrock's valley is found", arguments: [2, 10])
  func valley(count: Int) throws {
    var search = LBFGS(from: Self.start(count))
    let function = Self.valley(count)
    var steps = 0
    while steps < 500, try search.step(on: function) { steps += 1 }
    #expect(steps < 500 && search.iteration == steps)
    #expect(try #require(search.objective) < 1e-16)
    #expect(relativeError(search.point, Array(repeating: 1, count: count)) < 1e-7)
  }

  /// Searches along a line differ in detail, so a third more is allowed than PyTorch takes.
  ///
  /// That is 2.13, `torch.optim.LBFGS(lr=1, max_iter=1, history_size=100,
  /// line_search_fn="strong_wolfe")`, in double precision from the same start: evaluations until the
  /// objective is below 1e-12, less the one that repeats the last at each call.
  @Test("about as many evaluations are needed as in PyTorch", arguments: [(2, 44), (10, 86)])
  func evaluations(count: Int, known: Int) throws {
    var search = LBFGS(from: Self.start(count))
    let function = Self.valley(count)
    while search.objective.map({ $0 > 1e-12 }) ?? true, try search.step(on: function) {}
    #expect(try #require(search.objective) <= 1e-12)
    #expect(search.evaluations * 3 <= known * 4)
  }

  @Test("the lowest point of a bowl is found")
  func bowl() throws {
    var search = LBFGS(from: Array(repeating: 0, count: 20))
    let function = Self.bowl(20)
    while search.iteration < 200, try search.step(on: function) {}
    #expect(relativeError(search.point, (1...20).map(Double.init)) < 1e-10)
  }

  @Test("both Wolfe conditions hold for every step on a smooth function", arguments: [2, 10])
  func conditions(count: Int) throws {
    let function = Self.valley(count)
    var search = LBFGS(from: Self.start(count))
    var (value, gradient) = function.evaluate(at: search.point)
    while value > 1e-12 {
      let before = search
      #expect(try search.step(on: function))
      // The direction of the step, times its length.
      let moved = zip(search.point, before.point).map { $0 - $1 }
      let (next, slope) = function.evaluate(at: search.point)
      let (start, end) = (Self.product(gradient, moved), Self.product(slope, moved))
      // Rounding of points near one is 1e-16, and steps are 1e-7 or more.
      #expect(start < 0)
      #expect(next <= value + 1e-4 * start * (1 - 1e-6))
      #expect(abs(end) <= 0.9 * abs(start) * (1 + 1e-6))
      #expect(search.objective == next && search.gradient == slope)
      (value, gradient) = (next, slope)
    }
    #expect(search.relaxedSteps == 0)
  }

  /// Equation 6.17 with the whole matrix, from the same scaled identity.
  @Test("with all steps remembered, the direction is that of BFGS")
  func direction() throws {
    let count = 6
    let function = Self.valley(count)
    var search = LBFGS(from: Self.start(count))
    var pairs: [(s: [Double], y: [Double])] = []
    for _ in 0..<12 {
      let (point, gradient) = (search.point, function.evaluate(at: search.point).gradient)
      #expect(try search.step(on: function))
      pairs.append(
        (
          zip(search.point, point).map { $0 - $1 },
          zip(search.gradient, gradient).map { $0 - $1 }
        ))
      let (s, y) = pairs[pairs.count - 1]
      let scale = Self.product(s, y) / Self.product(y, y)
      var inverse = (0..<count).map { row in (0..<count).map { $0 == row ? scale : 0 } }
      for (s, y) in pairs {
        let rho = 1 / Self.product(s, y)
        let left = (0..<count).map { row in
          (0..<count).map { ($0 == row ? 1 : 0) - rho * s[row] * y[$0] }
        }
        inverse = (0..<count).map { row in
          (0..<count).map { column in
            var sum = rho * s[row] * s[column]
            for a in 0..<count {
              for b in 0..<count { sum += left[row][a] * inverse[a][b] * left[column][b] }
            }
            return sum
          }
        }
      }
      let expected = inverse.map { -Self.product($0, search.gradient) }
      // Rounding grows with the condition of the matrix, which is about 1e3 here.
      #expect(relativeError(search.direction(), expected) < 1e-9)
    }
  }

  @Test("a search that is written down and read back goes on bit for bit", arguments: [3, 100])
  func resumed(historyLimit: Int) throws {
    let function = Self.valley(10)
    var search = LBFGS(from: Self.start(10), historyLimit: historyLimit)
    var resumed = try #require(LBFGS(search.vectors, historyLimit: historyLimit))
    for _ in 0..<40 {
      #expect(resumed == search)
      #expect(try search.step(on: function) == resumed.step(on: function))
      resumed = try #require(LBFGS(resumed.vectors, historyLimit: historyLimit))
      #expect(resumed.vectors["changes"]?.count ?? 0 <= historyLimit * 10)
    }
    #expect(resumed == search && search.iteration == 40)
    #expect(LBFGS(search.vectors.merging(["changes": [1]]) { $1 }) == nil)
  }

  @Test("nothing moves where the gradient is zero or a number is not finite")
  func stuck() throws {
    var atRest = LBFGS(from: [1, 1])
    #expect(try !atRest.step(on: Self.valley(2)))
    #expect(atRest.point == [1, 1] && atRest.iteration == 0)
    var lost = LBFGS(from: [0])
    #expect(try !lost.step(on: Formula(1) { _ in (.nan, [1]) }))
    #expect(try !lost.step(on: Formula(1) { _ in (0, [.infinity]) }))
  }

  @Test("points where the function is not finite are avoided")
  func wall() throws {
    // −log x + x, least at 1; from 0.2, the first step of length one ends beyond the wall at 0.
    let function = Formula(1) { x in
      (x[0] > 0.1 ? x[0] + 1 / x[0] : .nan, [1 - 1 / (x[0] * x[0])])
    }
    var search = LBFGS(from: [1.05])
    while search.iteration < 50, try search.step(on: function) {}
    #expect(abs(search.point[0] - 1) < 1e-7)
  }

  /// The slope of a kink is never small, so the second condition holds nowhere.
  @Test("steps down to a kink are taken, and then the search ends")
  func kink() throws {
    let function = Formula(2) { x in
      (abs(x[0]) + 2 * abs(x[1] - 1), [x[0] < 0 ? -1 : 1, x[1] < 1 ? -2 : 2])
    }
    var search = LBFGS(from: [3, -2])
    var last = Double.infinity
    while search.iteration < 10_000, try search.step(on: function) {
      #expect(try #require(search.objective) < last)
      last = try #require(search.objective)
    }
    #expect(search.iteration < 10_000 && search.relaxedSteps > 0)
    #expect(last < 0.1)
  }
}
