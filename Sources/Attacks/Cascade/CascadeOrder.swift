internal import LinearAlgebra
internal import Networks

extension CascadeWalk {
  /// The order of positions that a convolution of one tap or without a border leaves open, from the first
  /// convolution of several taps, itself or below, whose patches overlap.
  ///
  /// Between the two lie only layers that treat every position alike. With the loss gradient at a
  /// convolution's output known position by position, its weight gradient `Q = Z R` gives the
  /// patches `R` position by position, whatever the order of these.
  ///
  /// - Parameters:
  ///   - slopes: outputs × positions, columns in any order.
  ///   - base: The convolution.
  ///   - scales: What a slope of one means as loss gradient at its output, per channel.
  /// - Returns: The columns in the order of the map.
  /// - Throws: Why the order stays open.
  func ordered(
    _ slopes: DenseMatrix, _ base: Foundation, scales: [Double]
  ) throws(PatchWalkFailure) -> DenseMatrix {
    var site = base.site
    var weightGradient = base.weightGradient
    var gradient = DenseMatrix(
      rows: slopes.rows, columns: slopes.columns,
      elements: slopes.elements.indices.map { slopes.elements[$0] * scales[$0 % slopes.rows] })
    while true {
      let patches = try Self.patches(gradient, site, weightGradient)
      if site.taps > 1 {
        let order = try PositionOrder(patches, site.patchMap())
        ring = zip(order.isRing, site.outputExtents).map { $0 ? $1 : 1 }
        return slopes.columns(at: order.indices)
      }
      let below = try descend(from: site, gradient, values: patches)
      (site, gradient) = (below.site, below.gradient)
      weightGradient = below.weightGradient
    }
  }

  /// `R` of `Q = Z R`, positions × taps · inputs.
  private static func patches(
    _ gradient: DenseMatrix, _ site: KernelSite, _ weightGradient: [Double]
  ) throws(PatchWalkFailure) -> DenseMatrix {
    guard site.outputs >= gradient.columns else {
      throw .tooFewOutputs(outputs: site.outputs, positions: gradient.columns)
    }
    let q = DenseMatrix(
      rows: site.outputs, columns: weightGradient.count / site.outputs, elements: weightGradient)
    return try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
      let solution = try QRDecomposition(gradient).solve(q)
      guard solution.isFinite else {
        throw .notFinite(rows: solution.rows, columns: solution.columns)
      }
      return solution
    }
  }

  /// The next convolution below one of a single tap, with the loss gradient at its output.
  ///
  /// - Parameters:
  ///   - site: The convolution of one tap.
  ///   - gradient: At its output, outputs × positions.
  ///   - values: Its input, positions × inputs.
  /// - Returns: Its geometry, observed weight gradient, and the loss gradient, outputs × positions.
  /// - Throws: `orderOpen` if another layer than those that treat all positions alike is in between.
  private func descend(
    from site: KernelSite, _ gradient: DenseMatrix, values: DenseMatrix
  ) throws(PatchWalkFailure) -> (site: KernelSite, weightGradient: [Double], gradient: DenseMatrix)
  {
    guard site.inputPlaces == gradient.columns,
      let weight = programs.elements(site.node, .weight, of: observation.weights),
      var source = network.nodes[site.node].sources.first, readers(of: source) == [site.node]
    else { throw .orderOpen(behind: network.nodes[site.node].name) }
    var arriving = DenseMatrix(
      rows: site.inputs, columns: site.inputPlaces,
      elements: site.transposedResponse(gradient.elements, weight))
    var entering: DenseMatrix? = values
    while case .node(let node) = source {
      let channels = arriving.rows
      switch linearity(node) {
      case .elementwise(let function):
        guard let outputs = entering else { throw .orderOpen(behind: network.nodes[node].name) }
        // Signs of a few small entries may be wrong: the order tolerates that.
        let floor = 1e-4 * outputs.elements.rootMeanSquareOrZero
        var elements = arriving.elements
        for index in elements.indices {
          let value = outputs[index / channels, index % channels]
          let slope = function.slope(
            knownOutput: function == .relu && value < floor ? 0 : value)
          guard let slope else { throw .orderOpen(behind: network.nodes[node].name) }
          elements[index] *= slope
        }
        arriving = DenseMatrix(rows: channels, columns: arriving.columns, elements: elements)
        entering = nil
      case .entrywiseAffine:
        guard let scale = scale(of: node) else {
          throw .orderOpen(behind: network.nodes[node].name)
        }
        arriving = DenseMatrix(
          rows: channels, columns: arriving.columns,
          elements: arriving.elements.indices.map { arriving.elements[$0] * scale[$0 % channels] })
        entering = nil
      case .affine:
        guard let below = plainConvolution(node), below.site.outputPlaces == arriving.columns else {
          throw .orderOpen(behind: network.nodes[node].name)
        }
        return (below.site, below.weightGradient, arriving)
      default: throw .orderOpen(behind: network.nodes[node].name)
      }
      guard let before = network.nodes[node].sources.first, readers(of: before) == [node] else {
        throw .orderOpen(behind: network.nodes[node].name)
      }
      source = before
    }
    throw .orderOpen(behind: network.nodes[site.node].name)
  }
}
