import CPUBackend
import TensorIR
import Testing

@Suite("primitives on the processor")
struct PrimitiveTests {
  @Test("agree with their defining meaning", arguments: PrimitiveCases.all, Precision.allCases)
  func agree(example: PrimitiveCase, precision: Precision) throws {
    for threads in [1, 2] {
      try expectAgreement(
        example.graph, example.inputs, precision, threads: threads, example.description)
    }
  }

  /// A primitive whose cases vanish when graphs simplify would be tested in name only.
  @Test("are all covered by a case")
  func coverage() {
    var present: Set<String> = ["reshape", "convert", "stop_gradient"]
    for example in PrimitiveCases.all {
      for node in example.graph.nodes {
        if case .primitive(let primitive, _) = node.origin { present.insert(primitive.mnemonic) }
      }
    }
    #expect(PrimitiveCatalog.all.map { $0.mnemonic }.filter { !present.contains($0) }.isEmpty)
  }
}
