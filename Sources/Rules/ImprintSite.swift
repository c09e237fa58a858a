internal import Glibc
internal import Networks
internal import Tensors

/// Rows of a dense layer that measure one and the same quantity against different biases.
struct ImprintSite: Sendable {
  /// The node of the dense layer.
  var node: Int
  /// Rows with parallel weights, ascending.
  var rows: [Int]
  /// `−b / ‖w‖` of each row: the value of the shared quantity at which its unit switches on,
  /// ascending, without repeats.
  var offsets: [Double]

  /// The largest group of parallel rows in each dense layer with `columns` inputs or more.
  static func all(in subject: Subject, columns: Double) -> [ImprintSite] {
    guard let parameters = subject.parameters else { return [] }
    return parameters.matrices.compactMap { matrix in
      guard matrix.kind == .dense, Double(matrix.view.columns) >= columns else { return nil }
      return ImprintSite(matrix, parameters)
    }
  }

  init(_ matrix: LayerMatrix, _ parameters: Parameters) {
    node = matrix.key.node
    rows = matrix.parallelRows.first ?? []
    offsets = []
    guard let first = rows.first, let bias = parameters.elements(node, .bias),
      bias.count == matrix.view.rows
    else { return }
    let reference = matrix.view.row(first)
    let norms = matrix.statistics.rows
    let signed = rows.map { row -> Double in
      let isOpposite =
        row != first && zip(matrix.view.row(row), reference).reduce(0) { $0 + $1.0 * $1.1 } < 0
      return (isOpposite ? 1 : -1) * bias[row] / norms[row].norm
    }
    for offset in signed.sorted() where offset.isFinite && offset != offsets.last {
      offsets.append(offset)
    }
  }

  /// The law whose quantiles the offsets resemble most, and the correlation with them.
  var fit: (law: String, correlation: Double) {
    let count = Double(offsets.count)
    let levels = offsets.indices.map { (Double($0) + 1) / (count + 1) }
    let laws: [(String, (Double) -> Double)] = [
      ("normal", NormalQuantile.value),
      (
        "Laplace",
        { $0 < 0.5 ? NormalQuantile.logarithm(2 * $0) : -NormalQuantile.logarithm(2 - 2 * $0) }
      ),
      ("uniform", { $0 }),
    ]
    let fits = laws.map { ($0.0, Self.correlation(levels.map($0.1), offsets)) }
    return fits.max { $0.1 < $1.1 } ?? ("uniform", 0)
  }

  private static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let count = Double(a.count)
    let (meanA, meanB) = (a.reduce(0, +) / count, b.reduce(0, +) / count)
    var (product, squareA, squareB) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += (x - meanA) * (y - meanB)
      squareA += (x - meanA) * (x - meanA)
      squareB += (y - meanB) * (y - meanB)
    }
    return squareA > 0 && squareB > 0 ? product / (squareA * squareB).squareRoot() : 0
  }

  /// The next dense layer, if its columns for these rows all point the same way.
  func equalColumns(in subject: Subject) -> String? {
    guard let parameters = subject.parameters,
      let next = subject.network.chain(from: node).first(where: {
        subject.network.nodes[$0].layer is Dense
      }), let matrix = parameters.matrix(next)
    else { return nil }
    let columns = Set(matrix.transposed.parallelRows.first ?? [])
    return rows.allSatisfy(columns.contains) ? subject.network.nodes[next].name : nil
  }
}

/// Quantiles of the standard normal distribution.
enum NormalQuantile {
  /// To a relative error of about 1e-9.
  ///
  /// - Source: Acklam, *An algorithm for computing the inverse normal cumulative distribution
  ///   function*, 2003.
  static func value(_ level: Double) -> Double {
    let a = [
      -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
      1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00,
    ]
    let b = [
      -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
      6.680131188771972e+01, -1.328068155288572e+01, 1,
    ]
    let c = [
      -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
      -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00,
    ]
    let d = [
      7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
      3.754408661907416e+00, 1,
    ]
    if level > 0.5 { return -value(1 - level) }
    if level < 0.02425 {
      let q = (-2 * logarithm(level)).squareRoot()
      return polynomial(c, q) / polynomial(d, q)
    }
    let q = level - 0.5
    return q * polynomial(a, q * q) / polynomial(b, q * q)
  }

  /// The natural logarithm.
  static func logarithm(_ x: Double) -> Double { log(x) }

  private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }
}
