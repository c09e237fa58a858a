internal import LinearAlgebra

/// All equations of a map as products, each row divided by its standard error.
///
/// The unknowns are the map along the singular directions of the gradient equations, channel by
/// channel. Each is divided by the square root of what its equations weigh, its own and those of
/// known values on average, so that iterations meet about equal directions.
struct MapSystem {
  private struct Part {
    var channels: [Int]
    /// Columns: singular directions, scaled.
    var basis: DenseMatrix
    /// What the columns were multiplied with.
    var scales: [Double]
    /// The gradient equations: the first directions are seen, scaled, so strongly.
    var rows: [Double]
  }

  private struct Values {
    var equations: MapSolve.ForwardEquations
    /// Of rows; zero where nothing is known.
    var weights: [Double]
  }

  private let places: Int
  private let channels: Int
  private var parts: [Part] = []
  private var values: [Values] = []
  private var directWeights: [Double] = []
  /// What the rows have to give.
  private(set) var right: [Double] = []

  var unknowns: Int { places * channels }

  /// Multiply-adds of one product.
  var multiplyAdds: Double {
    let bases = parts.reduce(0.0) {
      $0 + Double(places) * Double(places) * Double($1.channels.count)
    }
    return values.reduce(bases) {
      let site = $1.equations.site
      return $0 + Double(site.outputPlaces) * Double(site.equationsPerChannel)
        * Double(site.inputs)
    }
  }

  init(_ solve: MapSolve, _ buckets: [MapSolve.Bucket]) {
    places = solve.places
    channels = solve.channels
    var weight = 0.0
    for equations in solve.forwards {
      let weights = Self.weights(equations.output.errors)
      var norms = Array(repeating: 0.0, count: equations.site.outputs)
      for (index, entry) in equations.weight.enumerated() {
        norms[index % norms.count] += entry * entry
      }
      for (index, entry) in weights.enumerated() {
        weight += entry * entry * norms[index % norms.count]
      }
      values.append(Values(equations: equations, weights: weights))
    }
    if let direct = solve.direct {
      directWeights = Self.weights(direct.errors)
      weight += directWeights.dot(directWeights)
    }
    let mean = max(weight / Double(max(unknowns, 1)), .leastNormalMagnitude)
    for bucket in buckets {
      let seen = bucket.values
      let scales = (0..<places).map { direction in
        let own = direction < seen.count ? seen[direction] : 0
        return 1 / (own * own + mean).squareRoot()
      }
      var basis = bucket.closed.transposed
      if bucket.open.columns > 0 {
        basis = bucket.closed.rows > 0 ? basis.beside(bucket.open) : bucket.open
      }
      basis = basis.scalingColumns(by: scales)
      parts.append(
        Part(
          channels: bucket.channels, basis: basis, scales: scales,
          rows: zip(seen, scales).map { $0 * $1 }))
      for channel in bucket.channels.indices where !seen.isEmpty {
        right += bucket.right.column(channel)
      }
    }
    for value in values {
      right += zip(value.equations.output.values, value.weights).map { $0 * $1 }
    }
    if let direct = solve.direct { right += zip(direct.values, directWeights).map { $0 * $1 } }
  }

  private static func weights(_ errors: [Double]) -> [Double] {
    errors.map { $0.isFinite ? 1 / max($0, .leastNormalMagnitude) : 0 }
  }

  /// The map, `[places, channels]`, of unknowns.
  func map(_ unknowns: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: places * channels)
    var start = 0
    for part in parts {
      let count = places * part.channels.count
      let product =
        part.basis
        * DenseMatrix(
          rows: places, columns: part.channels.count,
          elements: Array(unknowns[start..<start + count]))
      for (column, channel) in part.channels.enumerated() {
        for place in 0..<places {
          result[place * channels + channel] = product.elements[column * places + place]
        }
      }
      start += count
    }
    return result
  }

  /// The transpose of ``map(_:)``.
  private func unknowns(_ map: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(map.count)
    for part in parts {
      var own = Array(repeating: 0.0, count: places * part.channels.count)
      for (column, channel) in part.channels.enumerated() {
        for place in 0..<places { own[column * places + place] = map[place * channels + channel] }
      }
      result +=
        part.basis.transposeTimes(
          DenseMatrix(rows: places, columns: part.channels.count, elements: own)
        ).elements
    }
    return result
  }

  /// The unknowns of a map.
  func coordinates(_ map: [Double]) -> [Double] {
    // The basis is orthogonal but for its scales.
    var result = unknowns(map)
    var start = 0
    for part in parts {
      for _ in part.channels {
        for (place, scale) in part.scales.enumerated() { result[start + place] /= scale * scale }
        start += places
      }
    }
    return result
  }

  /// What the rows give for unknowns.
  func apply(_ unknowns: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(right.count)
    var start = 0
    for part in parts {
      for _ in part.channels {
        for (direction, row) in part.rows.enumerated() {
          result.append(row * unknowns[start + direction])
        }
        start += places
      }
    }
    let map = map(unknowns)
    for value in values {
      let response = value.equations.site.response(map, value.equations.weight)
      result += zip(response, value.weights).map { $0 * $1 }
    }
    if !directWeights.isEmpty { result += zip(map, directWeights).map { $0 * $1 } }
    return result
  }

  /// The transpose of ``apply(_:)``.
  func transposed(_ rows: [Double]) -> [Double] {
    var own = Array(repeating: 0.0, count: unknowns)
    var (row, start) = (0, 0)
    for part in parts {
      for _ in part.channels {
        for (direction, factor) in part.rows.enumerated() {
          own[start + direction] = factor * rows[row + direction]
        }
        row += part.rows.count
        start += places
      }
    }
    var map = Array(repeating: 0.0, count: unknowns)
    for value in values {
      let count = value.weights.count
      let cotangent = zip(rows[row..<row + count], value.weights).map { $0 * $1 }
      map.add(1, times: value.equations.site.transposedResponse(cotangent, value.equations.weight))
      row += count
    }
    if !directWeights.isEmpty {
      for index in map.indices { map[index] += directWeights[index] * rows[row + index] }
    }
    own.add(1, times: unknowns(map))
    return own
  }

  /// Standard errors of the rows: one where a row says anything, else zero.
  var deviations: [Double] {
    var result: [Double] = []
    for part in parts {
      result += Array(repeating: 1, count: part.rows.count * part.channels.count)
    }
    for value in values { result += value.weights.map { $0 > 0 ? 1 : 0 } }
    return result + directWeights.map { $0 > 0 ? 1 : 0 }
  }
}
