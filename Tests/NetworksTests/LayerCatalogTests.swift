import Foundation
import Networks
import Testing

@Suite("Layer catalogue")
struct LayerCatalogTests {
  @Test("every file in Layers/ is registered")
  func everyFileIsRegistered() throws {
    let folder = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Networks/Layers")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(".swift".count)) }
    #expect(files.sorted() == LayerCatalog.all.map { String(describing: $0) }.sorted())
  }

  @Test("kinds are kebab-case, unique and sorted")
  func kinds() {
    let kinds = LayerCatalog.all.map { $0.kind }
    #expect(kinds == Set(kinds).sorted())
    for kind in kinds { #expect(kind.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil, "\(kind)") }
  }

  /// One layer and what becomes of an element of its input.
  static let treatments: [(any Layer, InputTreatment)] = [
    (Flatten(), .unchanged), (Reshape(target: [nil]), .unchanged),
    (Activation(.linear), .unchanged), (Activation(.relu), .elementwise(.relu)),
    (Activation(.softmax), .mixed), (Activation(.unknown("swirl")), .mixed),
    (Dropout(rate: 0), .unchanged), (Dropout(rate: 0.5), .unchangedAtInference),
    (Rescaling(scale: 2, offset: -1), .affine(scale: 2, offset: -1)),
    (Rescaling(scale: 0, offset: 1), .mixed), (Dense(outputs: 3), .mixed),
    (BatchNormalization(), .mixed), (Pooling(.average), .mixed),
    (Attention(heads: 2, keyWidth: 3), .mixed),
    (CustomLayer(className: "c", carriesCode: false), .mixed), (Merge(.add), .mixed),
    (Embedding(tokens: 5, width: 2), .mixed), (Normalization(.layer(axes: [-1])), .mixed),
    (Convolution(filters: 1, kernel: [1]), .mixed), (Resampling(.permute([0])), .mixed),
    (Recurrent(.lstm, units: 1), .mixed), (Selection(axis: 0, index: 0), .mixed),
    (ClassToken(), .mixed), (PositionEmbedding(), .mixed),
  ]

  @Test("only layers that pass elements on one by one say so")
  func treatment() {
    for (layer, treatment) in Self.treatments {
      #expect(layer.treatment == treatment, "\(layer.kind)")
    }
    let covered = Set(Self.treatments.map(\.0.kind))
    #expect(covered == Set(LayerCatalog.all.map { $0.kind }))
  }

  @Test("parameters have the shapes of the layer")
  func parameters() {
    #expect(Dense(outputs: 3).parameters(input: [5]) == [.weight: [3, 5], .bias: [3]])
    #expect(Dense(outputs: 3, hasBias: false).parameters(input: [7, 5]) == [.weight: [3, 5]])
    #expect(Dense(outputs: 3, inputs: 4).parameters(input: []) == [.weight: [3, 4], .bias: [3]])
    #expect(Embedding(tokens: 9, width: 2).parameters(input: [4]) == [.embeddings: [9, 2]])
    #expect(BatchNormalization().parameters(input: [8, 6])[.scale] == [6])
    #expect(BatchNormalization(axis: 0).parameters(input: [8, 6])[.runningMean] == [8])
    #expect(BatchNormalization(axis: 5).parameters(input: [8, 6])[.shift] == [nil])
    #expect(BatchNormalization().parameters(input: [8, 6]).count == 4)
    #expect(Flatten().parameters(input: [2, 3]).isEmpty)
  }

  @Test("details name what a kind leaves open")
  func details() {
    #expect(Convolution(variant: .depthwise, filters: 1, kernel: [3]).detail == "depthwise")
    #expect(Convolution(filters: 1, kernel: [3]).detail == nil)
    #expect(Pooling(.maximum).detail == "global maximum")
    #expect(Pooling(.average, window: [2]).detail == "average")
    #expect(Activation(.tanh).detail == "tanh" && Merge(.add).detail == "Add")
    #expect(CustomLayer(className: "Gate", carriesCode: true).detail == "Gate")
    #expect(
      Normalization(.layer(axes: [0])).detail == "layer"
        && Normalization(.group(count: nil, axis: 0)).detail == "instance"
        && Attention(heads: 1, keyWidth: 2).detail == "1 head"
        && Attention(.unstated("A")).detail == "A")
    #expect(Recurrent(.gru(resetsAfter: true), units: 1).detail == "GRU")
    #expect(
      Resampling(.unstated("Permute", output: nil)).detail == "Permute"
        && Resampling(.pad(low: [1], high: [0])).detail == "zero padding")
  }

  @Test("roles sort by name, and running statistics have no gradient")
  func roles() {
    let roles: [ParameterRole] = [
      .weight, .bias, .scale, .shift, .runningMean, .runningVariance, .embeddings, .other("gamma"),
    ]
    #expect(roles.sorted().map(\.description) == roles.map(\.description).sorted())
    #expect(roles.filter { !$0.isTrainable } == [.runningMean, .runningVariance])
  }
}
