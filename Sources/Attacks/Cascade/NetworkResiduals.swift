internal import LinearAlgebra
internal import Networks
package import TensorIR
internal import Tensors

/// Maps and gradients of weights, as a model input gives them, against what they ought to be.
///
/// Gradients are taken below given loss gradients, the heads. These can be as small as the distance of a
/// probability from 1, so they are held in units of a power of two in which `Float` holds them too.
///
/// Residuals are computed in `Double`, products with their Jacobian in either precision; one of the
/// programs for each is kept.
package class NetworkResiduals: ResidualFunction {
  /// What is compared with what.
  struct Comparison {
    /// The nodes whose outputs are compared.
    var nodes: [Int] = []
    /// These outputs, one behind the other.
    var target: [Double] = []
    /// Entries of the maps that only must not be above zero.
    var isInactive: [Bool] = []
    /// What residuals of the maps are multiplied with.
    var targetWeights: [Double] = []
    /// Loss gradients at the outputs of nodes.
    var heads: [(node: Int, gradient: [Double])] = []
    /// The weights whose gradients are compared.
    var keys: [ParameterTable.Key] = []
    /// Their gradients.
    var observed: [[Double]] = []
    /// What residuals of each gradient are multiplied with.
    var weights: [Double] = []
  }

  let programs: LayerPrograms
  /// Gradients and their weights are in units of ``unit``.
  final var compared: Comparison
  /// What gradients are divided by.
  final let unit: Double
  private var compiled: [Run: any CompiledProgram] = [:]
  private var isBound: Set<Run> = []
  private var point: [Double] = []
  /// Whether an entry of the maps counts at the point of linearisation.
  private(set) final var isOpen: [Bool] = []

  /// A program.
  struct Run: Hashable {
    enum Kind { case value, push, pull, columns, misfit }
    var kind: Kind
    var precision: Precision
  }

  package final var count: Int { compared.observed.reduce(compared.target.count) { $0 + $1.count } }

  init(_ comparison: Comparison, _ programs: LayerPrograms) {
    self.programs = programs
    compared = comparison
    unit = comparison.heads.map(\.gradient).largestBinade
    for place in compared.heads.indices {
      compared.heads[place].gradient = comparison.heads[place].gradient.map { $0 / unit }
    }
    for place in compared.observed.indices {
      compared.observed[place] = comparison.observed[place].map { $0 / unit }
      compared.weights[place] *= unit
    }
  }

  package final func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    try residuals(at: x, in: .double)
  }

  final func residuals(
    at x: [Double], in precision: Precision
  ) throws(CascadeStop) -> [Double] {
    let program = try run(at: x, in: precision)
    let values = program.elements(of: "features")
    var result: [Double] = []
    result.reserveCapacity(count)
    for (index, value) in values.enumerated() {
      let missed = value - compared.target[index]
      result.append(
        compared.targetWeights[index] * (compared.isInactive[index] ? max(missed, 0) : missed))
    }
    for (place, observed) in compared.observed.enumerated() {
      let (simulated, weight) = (program.elements(of: "gradient/\(place)"), compared.weights[place])
      for index in observed.indices {
        result.append((simulated[index] - observed[index]) * weight)
      }
    }
    return result
  }

  /// The relative distance of the simulated gradients from the observed ones.
  package final func relativeError(at x: [Double]) throws(CascadeStop) -> Double {
    let program = try run(at: x)
    var (missed, total) = (0.0, 0.0)
    for (place, observed) in compared.observed.enumerated() {
      let simulated = program.elements(of: "gradient/\(place)")
      for index in observed.indices {
        let (error, seen) = (simulated[index] - observed[index], observed[index])
        missed += error * error
        total += seen * seen
      }
    }
    return total > 0 ? (missed / total).squareRoot() : .infinity
  }

  /// `‖r‖²` and its gradient, in single precision, with the weights of the first call.
  package final func misfit(at x: [Double]) throws(CascadeStop) -> (
    objective: Double, gradient: [Double]
  ) {
    let program = try program(Run(kind: .misfit, precision: .single))
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    return (program.scalar(of: "misfit"), program.elements(of: "slope"))
  }

  private func run(
    at x: [Double], in precision: Precision = .double
  ) throws(CascadeStop) -> any CompiledProgram {
    let program = try program(Run(kind: .value, precision: precision))
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    return program
  }

  package final func linearize(at x: [Double]) throws(CascadeStop) {
    point = x
    isBound = []
    guard compared.isInactive.contains(true) else {
      isOpen = compared.isInactive.map { !$0 }
      return
    }
    let values = try run(at: x).elements(of: "features")
    isOpen = values.indices.map { !compared.isInactive[$0] || values[$0] > compared.target[$0] }
  }

  private func program(_ run: Run) throws(CascadeStop) -> any CompiledProgram {
    if let known = compiled[run] { return known }
    let program = try compile(run)
    compiled[run] = program
    return program
  }
}

// MARK: - Products

extension NetworkResiduals {
  package final func push(
    _ direction: [Double], in precision: Precision
  ) throws(CascadeStop) -> [Double] {
    let size = [direction].largestBinade
    let program = try linearized(Run(kind: .push, precision: precision))
    program.bind(direction.map { $0 / size }, to: "tangent")
    try Segment.run(program)
    let moved = program.elements(of: "features")
    var result: [Double] = []
    result.reserveCapacity(count)
    for index in moved.indices {
      result.append(isOpen[index] ? compared.targetWeights[index] * moved[index] * size : 0)
    }
    for (place, weight) in compared.weights.enumerated() {
      let factor = weight * size
      for value in program.elements(of: "gradient/\(place)") { result.append(value * factor) }
    }
    return result
  }

  package final func pull(
    _ cotangent: [Double], in precision: Precision
  ) throws(CascadeStop) -> [Double] {
    let program = try linearized(Run(kind: .pull, precision: precision))
    var arriving = compared.target.indices.map {
      isOpen[$0] ? compared.targetWeights[$0] * cotangent[$0] : 0
    }
    var offset = arriving.count
    var directions: [[Double]] = []
    for (place, observed) in compared.observed.enumerated() {
      let weight = compared.weights[place]
      directions.append((offset..<offset + observed.count).map { cotangent[$0] * weight })
      offset += observed.count
    }
    let size = ([arriving] + directions).largestBinade
    for index in arriving.indices { arriving[index] /= size }
    program.bind(arriving, to: "features-cotangent")
    for (place, direction) in directions.enumerated() {
      program.bind(direction.map { $0 / size }, to: "direction/\(place)")
    }
    try Segment.run(program)
    return program.elements(of: "slope").map { $0 * size }
  }

  /// A program at the point of linearisation.
  final func linearized(_ run: Run) throws(CascadeStop) -> any CompiledProgram {
    let program = try program(run)
    if isBound.insert(run).inserted { program.bind(point, to: "cut/0") }
    return program
  }
}

extension [[Double]] {
  /// The power of two at or below the largest magnitude; 1 if there is none.
  fileprivate var largestBinade: Double {
    let largest = reduce(0.0) { $1.reduce($0) { Swift.max($0, abs($1)) } }
    return largest.isNormal ? largest.binade : 1
  }
}
