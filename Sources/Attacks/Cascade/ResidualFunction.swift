internal import Networks
internal import TensorIR

/// Residuals as a function of the model input, with both products of its Jacobian.
protocol ResidualFunction: AnyObject {
  /// Number of residuals.
  var count: Int { get }
  func residuals(at x: [Double]) throws(CascadeStop) -> [Double]
  /// Chooses the point of ``push(_:)`` and ``pull(_:)``.
  func linearize(at x: [Double]) throws(CascadeStop)
  func push(_ direction: [Double]) throws(CascadeStop) -> [Double]
  func pull(_ cotangent: [Double]) throws(CascadeStop) -> [Double]
}

/// The map at one depth against what the cascade found there.
///
/// Where a ReLU was active, what enters it has to be equal; where it was not, what enters must not be
/// above zero. Functions that can be inverted are compared in front, others behind.
final class FeatureResiduals: ResidualFunction {
  private let segment: Segment
  private let target: [Double]
  /// Entries where only what exceeds zero counts.
  private let isInactive: [Bool]
  private let scale: Double
  private var isOpen: [Bool] = []

  var count: Int { target.count }
  /// Entries that have to be equal.
  var equalities: Int { isInactive.count { !$0 } }

  /// - Throws: ``CascadeStop`` if nothing leads from the input to the map.
  init(
    _ source: Network.Source, _ map: KnownMap, walk: CascadeWalk,
    in precision: Precision = .double
  ) throws(CascadeStop) {
    guard case .node(let node) = source else {
      throw CascadeStop("the map is the model input")
    }
    var (target, inactive) = (map.values, map.values.map { _ in false })
    var depth = node
    if case .elementwise(let function) = walk.linearity(node),
      case .node(let before)? = walk.network.nodes[node].sources.first
    {
      let inverses = map.values.map { function.inverse($0) }
      if function == .relu || inverses.allSatisfy({ $0 != nil }) {
        depth = before
        target = inverses.map { $0 ?? 0 }
        if function == .relu { inactive = map.values.map { $0 <= 0 } }
      }
    }
    self.target = target
    isInactive = inactive
    let size = target.rootMeanSquareOrZero
    scale = size > 0 ? 1 / size : 1
    segment = try walk.programs.segment(from: [.input(0)], to: depth, in: precision)
  }

  func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    let values = try segment.value([x])
    return values.indices.map {
      scale * (isInactive[$0] ? max(values[$0], 0) : values[$0] - target[$0])
    }
  }

  func linearize(at x: [Double]) throws(CascadeStop) {
    let values = try segment.value([x])
    isOpen = values.indices.map { !isInactive[$0] || values[$0] > 0 }
    segment.linearize(at: [x])
  }

  func push(_ direction: [Double]) throws(CascadeStop) -> [Double] {
    let moved = try segment.push([direction])
    return moved.indices.map { isOpen[$0] ? scale * moved[$0] : 0 }
  }

  func pull(_ cotangent: [Double]) throws(CascadeStop) -> [Double] {
    try segment.pull(cotangent.indices.map { isOpen[$0] ? scale * cotangent[$0] : 0 })[0]
  }
}
