import LinearAlgebra
import Testing

@Suite("LSMR")
struct LSMRTests {
  private func solve(
    _ a: DenseMatrix, _ b: [Double], damping: Double = 0, noiseFloor: Bool = false,
    limit: Int = 5000, preconditioner: LSMR.Preconditioner? = nil
  ) -> LSMR.Outcome {
    LSMR.solve(
      columns: a.columns, rightHandSide: b, damping: damping, noiseFloor: noiseFloor,
      iterationLimit: limit, preconditioner: preconditioner, apply: { a($0) },
      transpose: { a.transposeProduct($0) })
  }

  @Test("It agrees with QR on least squares", arguments: [1.0, 1e2, 1e4])
  func leastSquares(_ condition: Double) throws {
    var numbers = Numbers(seed: 11)
    let a = try numbers.matrix(80, 30, rank: 30, condition: condition)
    let b = numbers.vector(80)
    let (outcome, exact) = (solve(a, b), try QRDecomposition(a).solve(b))
    // A residual that does not vanish loses the square of the condition.
    #expect(distance(outcome.solution, exact) < 1e-13 * condition * condition)
    let residual = zip(a(exact), b).map { $0 - $1 }.euclideanNorm
    #expect(abs(outcome.residualNorm - residual) < 1e-10)
    #expect(outcome.stop == .converged)
  }

  @Test("Damping equals rows of the identity below")
  func damping() throws {
    var numbers = Numbers(seed: 12)
    let (a, b) = (numbers.matrix(20, 30), numbers.vector(20))
    var below = DenseMatrix.identity(30)
    for i in 0..<30 { below[i, i] = 0.7 }
    let rows = a.stacked(on: below)
    let right = b + Array(repeating: 0, count: 30)
    let exact = try QRDecomposition(rows).solve(right)
    let outcome = solve(a, b, damping: 0.7)
    #expect(distance(outcome.solution, exact) < 1e-12)
    let residual = zip(rows(exact), right).map { $0 - $1 }.euclideanNorm
    #expect(abs(outcome.residualNorm - residual) < 1e-10)
  }

  @Test("With fewer rows than columns it gives the solution of smallest norm")
  func smallestNorm() throws {
    var numbers = Numbers(seed: 13)
    let (a, b) = (numbers.matrix(15, 40), numbers.vector(15))
    let exact = try SingularValueDecomposition(a).solve(
      DenseMatrix(rows: 15, columns: 1, elements: b), relativeTolerance: 1e-12)
    #expect(distance(solve(a, b).solution, exact.elements) < 1e-11)
  }

  @Test("A triangular factor as preconditioner makes few steps of many")
  func preconditioned() throws {
    var numbers = Numbers(seed: 14)
    let a = try numbers.matrix(120, 60, rank: 60, condition: 1e5)
    let b = a(numbers.vector(60))
    let factor = try #require(CholeskyDecomposition(a.gram()))
    let outcome = solve(
      a, b,
      preconditioner: .init(
        inverse: factor.lowerTransposeSolve, transposedInverse: factor.lowerSolve))
    #expect(outcome.iterations < 20)
    // Consistent equations lose the condition once.
    #expect(distance(outcome.solution, try QRDecomposition(a).solve(b)) < 1e-9)
    #expect(solve(a, b, limit: 200).iterations > 60)
  }

  @Test("It stops at the noise, and not far above it")
  func noiseFloor() throws {
    var numbers = Numbers(seed: 15)
    let a = try numbers.matrix(400, 200, rank: 200, condition: 1e2)
    let (scale, truth) = (1e4, numbers.vector(200))
    // Uniform noise in −1..<1 has a variance of a third.
    let noise = numbers.vector(400).map { $0 * 3.0.squareRoot() }
    let right = zip(a(truth), noise).map { scale * $0 + $1 }
    var rows = a
    rows.elements = a.elements.map { scale * $0 }
    let outcome = solve(rows, right, noiseFloor: true)
    let best = zip(rows(try QRDecomposition(rows).solve(right)), right).map { $0 - $1 }
    #expect(outcome.stop == .noiseFloor)
    #expect(outcome.iterations < solve(rows, right).iterations)
    let excess = outcome.residualNorm * outcome.residualNorm - best.dot(best)
    // What the rate promises is not a bound: allow a tenth of a unit of noise.
    #expect(excess < 0.1)
  }

  @Test("Nothing to solve takes no step")
  func trivial() {
    let a = DenseMatrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 5, 6])
    let outcome = solve(a, [0, 0, 0])
    #expect(outcome.solution == [0, 0])
    #expect(outcome.iterations == 0)
    #expect(outcome.stop == .converged)
    #expect(solve(DenseMatrix(rows: 2, columns: 0), [1, 2]).solution == [])
  }

  @Test("It stops at the limit and throws what the products throw")
  func stops() {
    var numbers = Numbers(seed: 16)
    let (a, b) = (numbers.matrix(50, 40), numbers.vector(50))
    let outcome = solve(a, b, limit: 3)
    #expect(outcome.stop == .iterationLimit)
    #expect(outcome.iterations == 3)
    #expect(throws: Failure()) {
      try LSMR.solve(
        columns: 2, rightHandSide: [1], iterationLimit: 5,
        apply: { (_: [Double]) throws(Failure) -> [Double] in throw Failure() },
        transpose: { (u: [Double]) throws(Failure) -> [Double] in [u[0], 1] })
    }
  }

  @Test("A rough solution lowers the residual as far as it was asked to, in fewer iterations")
  func forcing() throws {
    var numbers = Numbers(seed: 18)
    let a = try numbers.matrix(120, 60, rank: 60, condition: 1e3)
    let b = a(numbers.vector(60))
    func rough(_ forcing: Double, _ b: [Double]) -> LSMR.Outcome {
      LSMR.solve(
        columns: 60, rightHandSide: b, forcing: forcing, iterationLimit: 5000, apply: { a($0) },
        transpose: { a.transposeProduct($0) })
    }
    let (outcome, whole) = (rough(0.1, b), solve(a, b))
    #expect(outcome.stop == .sufficient && outcome.iterations < whole.iterations / 2)
    let residual = zip(a(outcome.solution), b).map { $0 - $1 }.euclideanNorm
    #expect(residual <= 0.1 * b.euclideanNorm)
    // What cannot be reached ends where little is gained any more.
    let far = rough(1e-3, numbers.vector(120))
    #expect(far.stop == .sufficient && far.residualNorm > 0.5)
  }

  @Test("It stops when its task is cancelled")
  func cancelled() async {
    let task = Task {
      // Safe: the task is not kept.
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      var numbers = Numbers(seed: 17)
      return solve(numbers.matrix(50, 40), numbers.vector(50)).stop
    }
    let stop = await task.value
    #expect(stop == .cancelled)
  }
}

private struct Failure: Error, Equatable {}
