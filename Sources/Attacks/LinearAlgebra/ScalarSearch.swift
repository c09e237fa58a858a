/// The minimum of a function of one number, over many orders of magnitude and both signs.
enum ScalarSearch {
  /// Scans powers of √2 from 1e-6 to 1e6, then refines by golden section.
  static func minimum(of function: (Double) -> Double) -> Double? {
    let steps = (-80...80).flatMap { exponent -> [Double] in
      let magnitude = power(exponent)
      return [-magnitude, magnitude]
    }
    let best = steps.map { ($0, function($0)) }.filter { $0.1.isFinite }.min { $0.1 < $1.1 }
    guard let best else { return nil }
    var (low, high) = (best.0 / 1.5, best.0 * 1.5)
    let ratio = (5.0.squareRoot() - 1) / 2
    for _ in 0..<200 {
      let (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
      if function(a) < function(b) { high = b } else { low = a }
    }
    return (low + high) / 2
  }

  private static func power(_ exponent: Int) -> Double {
    let whole = (0..<abs(exponent / 2)).reduce(1.0) { value, _ in value * 2 }
    let half = exponent % 2 == 0 ? 1 : 2.0.squareRoot()
    return exponent < 0 ? 1 / (whole * half) : whole * half
  }
}
