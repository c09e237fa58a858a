internal import AuditModel
import Glibc
internal import Networks
internal import Tensors

/// The model input from what the walk determined, by least squares.
final class CascadeSearch {
  private let walk: CascadeWalk
  private let progress: (String) -> Void
  private(set) var input: [Double]?
  private(set) var certificate: Double?

  init(_ walk: CascadeWalk, progress: @escaping (String) -> Void) {
    self.walk = walk
    self.progress = progress
  }

  func run() {
    do throws(CascadeStop) {
      let everything = try GradientResiduals(walk)
      if let found = walk.maps[.input(0)], found.isComplete {
        input = found.values
      } else {
        try searchByFeatures()
      }
      guard let x = input else { return }
      var error = try everything.relativeError(at: x)
      progress("certificate \(error.displayed)")
      certificate = error
      if getenv("NOPOLISH") != nil { return }
      var marquardt = LevenbergMarquardt()
      marquardt.productLimit = 300
      marquardt.stepLimit = 10
      marquardt.report = { [progress] in progress("polish \($0): \($1.displayed) after \($2) products") }
      if getenv("BOX") != nil { marquardt.range = walk.observation.inputRange }
      let outcome = try marquardt.solve(everything, from: x)
      input = outcome.point
      error = try everything.relativeError(at: outcome.point)
      certificate = error
      progress("certificate \(error.displayed), residual per equation \((outcome.objective / Double(everything.count)).displayed)")
    } catch {
      progress("search stopped: \(error)")
    }
  }

  private func searchByFeatures() throws(CascadeStop) {
    guard let source = walk.determined.last, let map = walk.maps[source] else { return }
    let features = try FeatureResiduals(source, map, walk: walk)
    var marquardt = LevenbergMarquardt()
    if getenv("BOX") != nil { marquardt.range = walk.observation.inputRange }
    marquardt.goal = 1e-24
    marquardt.report = { [progress] in progress("features \($0): \($1.displayed) after \($2) products") }
    let count = walk.programs.count(of: .input(0))
    progress("from \(walk.name(source)): \(features.equalities) equalities for \(count) values")
    let middle = walk.observation.inputRange.map { ($0.lowerBound + $0.upperBound) / 2 } ?? 0.5
    let outcome = try marquardt.solve(
      features, from: Array(repeating: middle, count: count))
    input = outcome.point
  }
}
