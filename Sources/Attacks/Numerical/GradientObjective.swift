internal import Networks
package import TensorIR

/// The distance of a batch's gradient from the observed one, as a function of its inputs and, where
/// labels are sought, of one number per sample and class behind the inputs.
///
/// A label is the softmax of its numbers; Zhu et al. 2019, algorithm 1.
package final class GradientObjective: MatchingObjective {
  private let program: any CompiledProgram
  private let inputs: Int
  private let classes: Int
  private let samples: Int
  private let seeksLabels: Bool

  /// - Parameters:
  ///   - program: An evaluation of ``GradientMatching``, with all but the sought values bound.
  ///   - problem: What it is about.
  init(_ program: any CompiledProgram, _ problem: InversionProblem) {
    self.program = program
    inputs = problem.count
    classes = problem.classes
    samples = problem.samples
    seeksLabels = problem.labels == nil
  }

  package var count: Int { inputs + (seeksLabels ? samples * classes : 0) }

  package func evaluate(
    at x: [Double]
  ) throws(BackendError) -> (objective: Double, gradient: [Double]) {
    program.bind(seeksLabels ? Array(x[..<inputs]) : x, to: GradientMatching.Name.input)
    var labels: [Double] = []
    if seeksLabels {
      labels = probabilities(x)
      program.bind(labels, to: GradientMatching.Name.target)
    }
    try program.run()
    var gradient = program.elements(of: GradientMatching.Name.gradient)
    if seeksLabels {
      let slope = program.elements(of: GradientMatching.Name.targetGradient)
      for sample in 0..<samples {
        let own = sample * classes..<(sample + 1) * classes
        let mean = own.reduce(0) { $0 + labels[$1] * slope[$1] }
        gradient += own.map { labels[$0] * (slope[$0] - mean) }
      }
    }
    return (program.scalar(of: GradientMatching.Name.objective), gradient)
  }

  /// The labels that sought values stand for, one distribution after the other.
  func probabilities(_ x: [Double]) -> [Double] {
    (0..<samples).flatMap { sample in
      let start = inputs + sample * classes
      return Softmax.probabilities(Array(x[start..<start + classes]))
    }
  }
}
