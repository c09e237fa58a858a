internal import Networks
internal import Tensors

/// The leading singular pair of `[W̄ | b̄]`, scaled so that the input's last entry is one.
struct TotalLeastSquares {
  var left: [Double]
  var input: [Double]

  init?(_ matrix: Matrix, _ bias: [Double]) {
    guard var u = bias.normalized else { return nil }
    var (v, last) = ([Double](), 0.0)
    for _ in 0..<30 {
      (v, last) = (matrix.transposeProduct(u), bias.dot(u))
      let norm = (v + [last]).norm
      guard norm > 0, norm.isFinite else { return nil }
      let product = matrix(v.map { $0 / norm })
      let next = zip(product, bias).map { $0 + $1 * last / norm }
      guard let unit = next.normalized else { return nil }
      let change = zip(unit, u).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      u = unit
      if change < 1e-20 { break }
    }
    guard abs(last) > 0 else { return nil }
    input = v.map { $0 / last }
    left = u.map { $0 * last }
  }

  /// The largest singular value of what is left, by power iteration.
  func nextSingularValue(_ matrix: Matrix) -> Double {
    var generator = SplitMix64(seed: 3)
    var v = (0..<matrix.inputs).map { _ in generator.nextUniform() }
    var value = 0.0
    for _ in 0..<30 {
      guard let unit = v.normalized else { return 0 }
      let along = input.dot(unit)
      let u = zip(matrix(unit), left).map { $0 - $1 * along }
      value = u.norm
      let back = left.dot(u)
      v = zip(matrix.transposeProduct(u), input).map { $0 - $1 * back }
    }
    return value
  }
}
