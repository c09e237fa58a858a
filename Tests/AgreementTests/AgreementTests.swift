import CPUBackend
import Checkpoints
import Networks
import TensorIR
import Tensors
import Testing

@Suite("Agreement with PyTorch and Keras")
struct AgreementTests {
  @Test("the fixtures can be read")
  func fixtures() throws {
    let cases = try AgreementFixtures.cases.get()
    #expect(
      cases.contains { $0.framework == "torch" } && cases.contains { $0.framework == "keras" })
    #expect(Set(cases.map(\.testDescription)).count == cases.count)
  }

  /// Double precision on both sides, in other orders of summation; a relative 1e-10 leaves room for
  /// four digits of cancellation.
  @Test(
    "output, loss, gradients and second derivatives are those of the framework",
    arguments: AgreementFixtures.all)
  func agreement(subject: AgreementCase) throws {
    try expectAgreement(subject, with: subject.network, on: ReferenceBackend(), .double, 1e-10)
  }

  /// What users run: the same arrays from planned programs, in both precisions.
  @Test(
    "the processor computes what the framework does", arguments: AgreementFixtures.all,
    [(Precision.double, 1e-10), (.single, 1e-5)])
  func processor(subject: AgreementCase, precision: (Precision, Double)) throws {
    try expectAgreement(
      subject, with: subject.network, on: CPUBackend(threads: 1), precision.0, precision.1)
  }

  @Test(
    "Keras' own configuration gives the same program",
    arguments: AgreementFixtures.all.filter { $0.configuration != nil })
  func configurations(subject: AgreementCase) throws {
    let network = try KerasArchitecture.network(
      from: subject.configuration ?? "", file: subject.name)
    guard subject.name != "activation_gelu_tanh" else {
      // A function that a program registered under a name of its own is not in the file.
      let error = #expect(throws: UnsupportedLayer.self) {
        _ = try Derivation(network, of: subject)
      }
      #expect(error?.description.contains("agreement>gelu_tanh") == true)
      return
    }
    try expectAgreement(subject, with: network, on: ReferenceBackend(), .double, 1e-10)
  }

  /// Compares every array of the case.
  private func expectAgreement(
    _ subject: AgreementCase, with network: Network, on backend: some Backend,
    _ precision: Precision, _ tolerance: Double
  ) throws {
    let derivation = try Derivation(network, of: subject)
    try derivation.graph.verify()
    let program = try backend.compile(derivation.graph, in: precision)
    try derivation.bind(subject, network, to: program)
    try program.run()
    var found: [String: [Double]] = [
      "output": program.elements(of: "output"), "loss": program.elements(of: "loss"),
    ]
    for (index, place) in derivation.real.enumerated() {
      let name = subject.inputNames[place]
      found["input_gradients/\(name)"] = program.elements(of: "inputGradient/\(index)")
      found["mixed/\(name)"] = program.elements(of: "mixed/\(index)")
      found["curvature/\(name)"] = program.elements(of: "curvature/\(index)")
    }
    let trainable = derivation.trainable
    let tables = [
      (
        "gradients/",
        network.table(
          of: trainable.map { program.elements(of: "gradient/" + $0.name) }, for: trainable,
          in: subject.convention)
      ),
      (
        "parameter_curvature/",
        network.table(
          of: trainable.indices.map { program.elements(of: "parameterCurvature/\($0)") },
          for: trainable, in: subject.convention)
      ),
    ]
    #expect(!subject.results.isEmpty)
    for (path, expected) in subject.results {
      let name = path.dropFirst("results/".count)
      var elements = found[String(name)]
      for (prefix, table) in tables where name.hasPrefix(prefix) {
        let (node, role) = try subject.place(name.dropFirst(prefix.count), in: network)
        let tensor = try #require(table[node, role], "\(path)")
        #expect(tensor.shape == expected.shape, "\(path)")
        elements = tensor.elements()
      }
      let error = difference(
        try #require(elements, "\(path)"), expected.elements, at: path, in: subject)
      #expect(error <= tolerance, "\(path) is \(error) off")
    }
  }

  /// The largest difference against the largest element.
  ///
  /// What is zero but for rounding, such as the gradient of the bias of attention's keys, is measured
  /// against the largest array of its kind: nothing smaller says what rounding it went through.
  private func difference(
    _ found: [Double], _ expected: [Double], at path: String, in subject: AgreementCase
  ) -> Double {
    guard found.count == expected.count, found.allSatisfy(\.isFinite) else { return .infinity }
    let kind = path.split(separator: "/")[1]
    let alike = subject.results.filter { $0.key.split(separator: "/")[1] == kind }
    let largestOfKind = alike.values.flatMap(\.elements).map(abs).max() ?? 0
    let own = expected.map(abs).max() ?? 0
    let size = own > 1e-9 * largestOfKind ? own : largestOfKind
    let largest = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
    return largest == 0 ? 0 : largest / size
  }
}
