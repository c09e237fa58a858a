internal import LinearAlgebra

/// Which entries won every window of a max pooling above a convolution, from an input of that
/// convolution that is about right.
///
/// Winners say where the gradient of each window went, and with it the weight gradient `W̄ = M(z̄) x`
/// is linear in the input `x`, with more equations than unknowns. So winners and input are found in
/// turn: the winners from what the convolution makes of the input, the input by least squares in which
/// each output channel counts by how well its part of `W̄` is met. A wrong winner spoils one channel;
/// channels without one soon decide alone, and the others fall into place.
///
/// - Source: no paper; described in Documentation/Attacks.md. Weights from residuals are those of
///   iteratively reweighted least squares (Holland & Welsch 1977).
struct WinnerIteration {
  /// The convolution.
  let site: KernelSite
  /// Its weight gradient, `[taps, inputs, outputs]`.
  let weightGradient: [Double]
  /// What each channel of its output is multiplied by on the way to the pooling.
  let factors: [Double]
  /// For every window and channel, the entries of the pooled map that it chooses from.
  let windows: [[Int]]
  /// The loss gradient of every window.
  let pooledGradient: [Double]
  /// Whether only entries above zero can win.
  let isRectified: Bool
  /// Whether a window let anything through, as far as is known while the input is not; `nil` if it is not.
  let isActive: [Bool]?

  struct Outcome {
    /// The loss gradient of the entries that the windows choose from.
    var gradient: [Double]
    /// Relative distance of the weight gradient that they give from the observed one.
    var misfit: Double
    var rounds: Int
  }

  private static let roundLimit = 40
  /// Winners are right where the weight gradient is met this well.
  private static let goal = 1e-4
  /// From here on the input says best which windows let anything through.
  private static let settled = 0.01
  /// The last input counts this much against the new equations' own misfit.
  private static let trust = 0.6
  /// Of entries of the equations; the square of their columns is worked on in every round.
  private static let sizeLimit = 1 << 22

  private var isPossible: Bool {
    site.hasEquationsToSpare && site.groups == 1
      && site.equationsPerChannel * site.inputPlaces <= Self.sizeLimit
  }

  /// - Parameters:
  ///   - start: The convolution's input, `[places, channels]`, about right.
  ///   - outputs: What the windows choose from, given such an input.
  /// - Returns: `nil` if winners and weight gradient do not come to agree.
  /// - Throws: What `outputs` throws.
  func solve(
    from start: [Double], outputs: ([Double]) throws(CascadeStop) -> [Double]
  ) throws(CascadeStop) -> Outcome? {
    let right = site.rightSide(weightGradient, group: 0)
    let size = right.elements.euclideanNorm
    guard isPossible, size > 0 else { return nil }
    var input = DenseMatrix(rows: site.inputs, columns: site.inputPlaces, elements: start)
      .transposed
    var last: (gradient: [Double], misfit: Double)?
    for round in 1...Self.roundLimit {
      let values = try outputs(input.transposed.elements)
      let isSettled = last.map { $0.misfit < Self.settled } ?? false
      let gradient = self.gradient(of: values, isActive: isSettled ? nil : isActive)
      let block = site.block(scaled(gradient), group: 0)
      let gap = subtracted(block * input, from: right)
      let misfit = gap.elements.euclideanNorm / size
      guard misfit.isFinite else { return nil }
      if gradient == last?.gradient, misfit < Self.goal {
        return Outcome(gradient: gradient, misfit: misfit, rounds: round)
      }
      last = (gradient, misfit)
      guard let step = step(block, gap, misfit: misfit, size: input.elements.rootMeanSquare) else {
        return nil
      }
      for index in step.elements.indices { input.elements[index] += step.elements[index] }
    }
    return nil
  }

  /// The gradient of every window at its winner.
  private func gradient(of values: [Double], isActive: [Bool]?) -> [Double] {
    var result = Array(repeating: 0.0, count: values.count)
    for (window, entries) in windows.enumerated() {
      guard let winner = entries.max(by: { values[$0] < values[$1] }) else { continue }
      let isOpen = isActive?[window] ?? (!isRectified || values[winner] > 0)
      if isOpen { result[winner] += pooledGradient[window] }
    }
    return result
  }

  private func scaled(_ gradient: [Double]) -> [Double] {
    gradient.indices.map { gradient[$0] * factors[$0 % factors.count] }
  }

  private func subtracted(_ product: DenseMatrix, from right: DenseMatrix) -> DenseMatrix {
    DenseMatrix(
      rows: right.rows, columns: right.columns,
      elements: zip(right.elements, product.elements).map { $0 - $1 })
  }

  /// The change of the input that meets the equations, those of each output channel divided by their
  /// own misfit.
  private func step(
    _ block: DenseMatrix, _ gap: DenseMatrix, misfit: Double, size: Double
  ) -> DenseMatrix? {
    var squares = Array(repeating: 0.0, count: site.outputs)
    for (index, element) in gap.elements.enumerated() {
      squares[index % gap.rows % site.outputs] += element * element
    }
    let share = Double(gap.elements.count / site.outputs)
    let misfits = squares.map { ($0 / share).squareRoot() }
    let floor = 1e-3 * misfits.sorted()[misfits.count / 2]
    guard size > 0, misfit > 0, floor > 0 else { return nil }
    let weights = (0..<block.rows).map { 1 / (misfits[$0 % site.outputs] + floor) }
    let rows = block.scalingRows(by: weights)
    var normal = rows.gram()
    let hold = Self.trust / (misfit * size)
    for place in 0..<normal.rows { normal[place, place] += hold * hold }
    return CholeskyDecomposition(normal)?.solve(
      rows.transposeTimes(gap.scalingRows(by: weights)))
  }
}
