import CPUBackend
import TensorIR
import Testing

/// Numbers that depend on a seed alone (SplitMix64).
struct Numbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Numbers that `Float` holds exactly, so that both precisions start alike.
  mutating func uniform(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [Double] {
    (0..<count).map { _ in Double(Float(Double.random(in: range, using: &self))) }
  }
}

/// The tolerance of a precision, relative to the largest element.
func tolerance(_ precision: Precision) -> Double { precision == .double ? 1e-12 : 1e-5 }

/// How far `found` is from `expected`, relative to the largest expected magnitude (at least 1e-3, so
/// that a result of pure rounding is not judged by its own size).
func distance(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  var (worst, size) = (0.0, 1e-3)
  for (a, b) in zip(found, expected) {
    if a.isNaN != b.isNaN || (a.isInfinite || b.isInfinite) && a != b { return .infinity }
    guard a.isFinite, b.isFinite else { continue }
    worst = max(worst, abs(a - b))
    size = max(size, abs(b))
  }
  return worst / size
}

/// Runs `graph` on the backend and in the interpreter, and expects equal outputs.
func expectAgreement(
  _ graph: Graph, _ inputs: [String: [Double]], _ precision: Precision, threads: Int,
  tolerance: Double? = nil, _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let program = try CPUBackend(threads: threads).compile(graph, in: precision)
  for (name, elements) in inputs { program.bind(elements, to: name) }
  try program.run()
  var bound: [Value: [Double]] = [:]
  for input in graph.inputs { bound[input.value] = inputs[input.name] }
  let expected = ReferenceInterpreter().evaluate(
    graph.outputs.map(\.value), in: graph, inputs: bound)
  for (output, expected) in zip(graph.outputs, expected) {
    let elements = program.elements(of: output.name)
    var total = elements.indices.map(Double.init)
    program.add(-0.5, times: output.name, to: &total)
    #expect(
      zip(total, elements.enumerated()).allSatisfy { total, element in
        let sum = Double(element.offset) - 0.5 * element.element
        return total == sum || sum.isNaN && total.isNaN
      }, "\(note) sums of \(output.name)", sourceLocation: sourceLocation)
    let distance = distance(elements, expected)
    #expect(
      distance <= tolerance ?? CPUBackendTests.tolerance(precision),
      "\(note) \(output.name) in \(precision) with \(threads) threads",
      sourceLocation: sourceLocation)
  }
}
