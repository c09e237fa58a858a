internal import AuditModel
internal import Networks
internal import TensorIR

/// First-order steps on one gradient: a single program computes the objective and moves the input.
final class GradientSearch: RestartSearch {
  private typealias Name = GradientMatching.Name

  /// What the program carries from run to run.
  private static let carried = [
    "input", "momentum", "variance", "first-power", "second-power",
  ]
  private let program: any CompiledProgram
  private var rate: Double?
  /// Whether what the program holds has moved since ``load(_:)``.
  private var isMoved = false
  private var loaded: [String: [Double]] = [:]

  /// - Parameter program: An iteration of ``GradientMatching``, with all but the carried values bound.
  init(_ program: any CompiledProgram) { self.program = program }

  /// The state from which a search starts.
  static func start(_ input: [Double]) -> [String: [Double]] {
    let zero = Array(repeating: 0.0, count: input.count)
    return [
      RestartState.input: input, "momentum": zero, "variance": zero, "first-power": [1],
      "second-power": [1],
    ]
  }

  func load(_ vectors: [String: [Double]]) {
    loaded = vectors
    isMoved = false
    for name in Self.carried {
      if let elements = vectors[name] { program.bind(elements, to: name) }
    }
  }

  func step(rate: Double) throws(BackendError) -> Double? {
    if rate != self.rate {
      program.bind([rate], to: Name.learningRate)
      self.rate = rate
    }
    try program.run()
    isMoved = true
    return program.scalar(of: Name.objective)
  }

  func vectors() -> [String: [Double]] {
    guard isMoved else { return loaded }
    return Dictionary(
      uniqueKeysWithValues: Self.carried.map { ($0, program.elements(of: "next-" + $0)) })
  }

  func objective() throws(BackendError) -> Double {
    // A run moves on; what it started from is put back.
    let now = vectors()
    program.bind([rate ?? 0], to: Name.learningRate)
    try program.run()
    let objective = program.scalar(of: Name.objective)
    load(now)
    return objective
  }
}
