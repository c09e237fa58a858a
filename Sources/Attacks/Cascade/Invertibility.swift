package import AuditModel
package import Networks
package import TensorIR

/// How far down a network the closed forms would go if a gradient were seen, from the weights alone.
///
/// One drawn sample is run forwards and backwards; for every map that dense layers or convolutions
/// read, the equations that its gradient would give are ranked as numbers.
package enum Invertibility {
  /// Singular values below this share of the largest count as zero: what single precision resolves.
  package static let rankTolerance = 1e-7

  package static let source = "weights alone, random inputs"

  /// Analyses the network from its classifier down to the model input.
  ///
  /// - Parameters:
  ///   - network: The architecture.
  ///   - weights: What the file has of it; what is missing is drawn as He et al. do.
  ///   - backend: Runs the layers.
  ///   - progress: Receives a line for every map.
  /// - Returns: The chain, its artifact empty; `nil` for a network without a convolution in front of a
  ///   dense layer, unless its convolutions end without one.
  /// - Complexity: a forward and a backward pass, and for every map the square of its equations per
  ///   channel times its places.
  package static func analyse(
    _ network: Network, weights: ParameterTable, backend: any Backend,
    progress: @escaping @Sendable (String) -> Void
  ) -> ChainSummary? {
    guard let start = InvertibilityStart(network) else { return nil }
    var summary = ChainSummary(
      artifact: "", source: source, steps: [], reachesInput: false, stop: nil,
      rankTolerance: rankTolerance)
    do throws(CascadeStop) {
      var programs = try LayerPrograms(
        network, weights: weights, upTo: start.node, on: backend)
      let (table, missing) = try completed(weights, for: programs)
      if missing > 0 {
        programs = try LayerPrograms(network, weights: table, upTo: start.node, on: backend)
      }
      let walk = InvertibilityWalk(
        try InvertibilitySimulation(programs, start: start, progress: progress), progress)
      do throws(CascadeStop) { try walk.run() } catch { walk.end(error.description) }
      summary.steps = walk.steps
      summary.reachesInput = walk.reachesInput
      summary.stop = walk.stop
      summary.jointSolve = walk.outlook
      let preface = [
        missing > 0
          ? "\(DisplayedNumber.grouped(missing)) of \(programs.parameters.count) parameters are "
            + "missing from the file and were drawn at random (He)" : nil,
        start.isDense ? nil : walk.startWithoutDense,
      ].compactMap { $0 }
      if !preface.isEmpty, !summary.steps.isEmpty {
        summary.steps[0].note = (preface + [summary.steps[0].note]).filter { !$0.isEmpty }
          .joined(separator: "; ")
      }
    } catch {
      summary.stop = error.description
    }
    return summary
  }
}
