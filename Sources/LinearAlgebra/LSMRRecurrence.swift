extension LSMR {
  /// The scalars of LSMR: two QR factorisations of the bidiagonal matrix, and estimates of norms.
  ///
  /// - Source: Fong & Saunders 2011, §2.5 to §3.4; names after the paper's symbols, where a bar or
  ///   a tilde is spelled out.
  struct Recurrence {
    private(set) var iterations = 0
    private(set) var alpha: Double
    private(set) var residualNorm: Double
    private(set) var normalResidualNorm: Double
    private(set) var condition = 1.0

    private let damping: Double
    private let rightNorm: Double
    private var alphaBar: Double
    private var zetaBar: Double
    private var (rho, rhoBar, cosineBar, sineBar, zeta) = (1.0, 1.0, 1.0, 0.0, 0.0)
    // Of the residual's norm.
    private var betaDouble: Double
    private var (betaDot, rhoDotOld, tauTildeOld, thetaTilde, sum) = (0.0, 1.0, 0.0, 0.0, 0.0)
    // Of the matrix.
    private var squaredNorm: Double
    private var matrixNorm = 0.0
    private var (largest, smallest) = (0.0, Double.infinity)

    init(alpha: Double, beta: Double, damping: Double) {
      self.alpha = alpha
      self.damping = damping
      rightNorm = beta
      residualNorm = beta
      normalResidualNorm = alpha * beta
      alphaBar = alpha
      zetaBar = alpha * beta
      betaDouble = beta
      squaredNorm = alpha * alpha
    }

    /// Factors by which the vectors of the iteration are combined.
    struct Step {
      /// Of the older h̄ in the newer, negated.
      let previous: Double
      /// Of h̄ in the solution.
      let length: Double
      /// Of the older h in the newer, negated.
      let direction: Double
    }

    mutating func advance(alpha nextAlpha: Double, beta: Double) -> Step {
      iterations += 1
      let (cosineHat, sineHat, alphaHat) = Self.rotation(alphaBar, damping)
      let rhoOld = rho
      let (cosine, sine, newRho) = Self.rotation(alphaHat, beta)
      rho = newRho
      let thetaNew = sine * nextAlpha
      alphaBar = cosine * nextAlpha

      let (rhoBarOld, zetaOld) = (rhoBar, zeta)
      let thetaBar = sineBar * rho
      let rhoTemporary = cosineBar * rho
      (cosineBar, sineBar, rhoBar) = Self.rotation(rhoTemporary, thetaNew)
      zeta = cosineBar * zetaBar
      zetaBar = -sineBar * zetaBar

      let step = Step(
        previous: thetaBar * rho / (rhoOld * rhoBarOld), length: zeta / (rho * rhoBar),
        direction: thetaNew / rho)
      estimateResidual(
        cosineHat, sineHat, cosine, sine, thetaBar: thetaBar, rhoBarOld: rhoBarOld,
        zetaOld: zetaOld)

      squaredNorm += beta * beta
      matrixNorm = squaredNorm.squareRoot()
      squaredNorm += nextAlpha * nextAlpha
      if iterations > 1 {
        largest = max(largest, rhoBarOld)
        smallest = min(smallest, rhoBarOld)
      }
      condition = max(largest, rhoTemporary) / min(smallest, rhoTemporary)
      normalResidualNorm = abs(zetaBar)
      alpha = nextAlpha
      return step
    }

    private mutating func estimateResidual(
      _ cosineHat: Double, _ sineHat: Double, _ cosine: Double, _ sine: Double,
      thetaBar: Double, rhoBarOld: Double, zetaOld: Double
    ) {
      let betaAcute = cosineHat * betaDouble
      let betaCheck = -sineHat * betaDouble
      let betaHat = cosine * betaAcute
      betaDouble = -sine * betaAcute
      let thetaTildeOld = thetaTilde
      let (cosineTilde, sineTilde, rhoTildeOld) = Self.rotation(rhoDotOld, thetaBar)
      thetaTilde = sineTilde * rhoBar
      rhoDotOld = cosineTilde * rhoBar
      betaDot = -sineTilde * betaDot + cosineTilde * betaHat
      tauTildeOld = (zetaOld - thetaTildeOld * tauTildeOld) / rhoTildeOld
      let tauDot = (zeta - thetaTilde * tauTildeOld) / rhoDotOld
      sum += betaCheck * betaCheck
      let gap = betaDot - tauDot
      residualNorm = (sum + gap * gap + betaDouble * betaDouble).squareRoot()
    }

    /// Whether to stop, for a solution of this norm.
    func reason(norm: Double, tolerance: Double, normalTolerance: Double) -> Stop? {
      let scale = matrixNorm * norm + rightNorm
      if residualNorm <= max(tolerance, 0x1p-53) * scale { return .converged }
      if normalResidualNorm <= max(normalTolerance, 0x1p-53) * matrixNorm * residualNorm {
        return .converged
      }
      return condition >= 0x1p52 ? .conditionLimit : nil
    }

    /// The cosine, sine and length of the rotation that sends `(a, b)` to `(length, 0)`.
    private static func rotation(_ a: Double, _ b: Double) -> (Double, Double, Double) {
      guard b != 0 else { return (a < 0 ? -1 : 1, 0, abs(a)) }
      let scale = max(abs(a), abs(b))
      let length = scale * ((a / scale) * (a / scale) + (b / scale) * (b / scale)).squareRoot()
      return (a / length, b / length, length)
    }
  }

  /// When what is left to gain is below the noise.
  ///
  /// With rows divided by their standard errors, a decrease of `‖r‖²` by 1 is what one direction of
  /// pure noise explains. With windows of *w* = max(32, iterations / 8), let *d* be the decrease
  /// over the last window and *d′* over the one before. The floor is reached when
  ///
  /// - `‖r‖² < 1e-2`, so nothing more can be gained; or
  /// - `d + d′ < 1e-3`; or
  /// - `d < 1e-2` and `d² / (d′ − d) < 1e-2`: going on at the rate of the last two windows gains
  ///   less than 1e-2 in all.
  ///
  /// The rate is a forecast, no bound: what two windows do not show may still come.
  struct NoiseFloor {
    private var squares: [Double] = []

    mutating func isReached(after residualNorm: Double) -> Bool {
      let now = residualNorm * residualNorm
      squares.append(now)
      guard now >= 1e-2 else { return true }
      let window = max(32, squares.count / 8)
      guard squares.count > 2 * window else { return false }
      let middle = squares[squares.count - 1 - window]
      let before = squares[squares.count - 1 - 2 * window]
      let (late, early) = (max(middle - now, 0), max(before - middle, 0))
      if late + early < 1e-3 { return true }
      return late < 1e-2 && early > late && late * late / (early - late) < 1e-2
    }
  }

  /// When a rough solution will do.
  struct Progress {
    private var squares: [Double]
    private let window = 8

    init(_ rightNorm: Double) { squares = [rightNorm * rightNorm] }

    mutating func isSufficient(_ residualNorm: Double, _ forcing: Double) -> Bool {
      let now = residualNorm * residualNorm
      squares.append(now)
      if now <= forcing * forcing * squares[0] { return true }
      guard squares.count > 2 * window else { return false }
      return squares[squares.count - 1 - window] - now < 0.05 * (squares[0] - now)
    }
  }
}
