import Attacks
import AuditModel
import Networks
import Testing

/// Maps that no border of zeros surrounds.
@Suite("Convolutions without zero padding")
struct CircularPaddingTests {
  private static func network(side: Int, padding: Int) -> Network {
    Network(
      "pooled", input: [3, side, side],
      [
        "a": Convolution.square(32, 3, stride: 2, padding: padding), "b": Activation(.relu),
        "c": Convolution.square(64, 3, padding: padding), "d": Activation(.relu),
        "e": Pooling(.average, channelsFirst: true), "f": Dense(outputs: 10),
      ])
  }

  /// Behind a global average of 3 × 3 the picture follows but for shifts by two rows and two columns.
  @Test("circular padding leaves a shift open and nothing else")
  func circular() throws {
    let sample = try GradientSample(
      Self.network(side: 6, padding: 1).circular, .kaimingNormal)
    let knowledge = sample.observation().attacked()
    let chain = try #require(knowledge.chain)
    #expect(chain.steps.first?.outcome == .gradientOnly)
    #expect(chain.steps.first?.note.contains("two slopes") == true)
    let picture = try #require(knowledge.picture)
    #expect(picture.isProven)
    #expect(picture.preconditions.contains { $0.contains("9 cyclic shifts") })
    let errors = (0..<9).map { shift in
      relativeError(
        picture.samples[0], Self.rolled(sample.inputs[0], 2 * (shift / 3), 2 * (shift % 3)))
    }
    #expect(errors.count { $0 < 1e-5 } == 1)
  }

  @Test("a few positions of a convolution without any padding are tried")
  func valid() throws {
    let sample = try GradientSample(Self.network(side: 11, padding: 0), .kaimingNormal)
    let picture = try #require(sample.observation().attacked().picture)
    #expect(picture.isProven && picture.preconditions.allSatisfy { !$0.contains("shifts") })
    #expect(relativeError(picture.samples[0], sample.inputs[0]) < 1e-5)
  }

  /// A ramp along each axis, which jumps at its border alone.
  @Test("a ring is cut where the border is", arguments: [(0, 0), (3, 0), (6, 9)])
  func seam(_ rows: Int, _ columns: Int) {
    var picture: [Double] = []
    for row in 0..<12 { for column in 0..<12 { picture += [Double(row), Double(column)] } }
    let shifted = (0..<288).map { index in
      picture[((index / 24 + rows) % 12 * 12 + (index / 2 + columns) % 12) * 2 + index % 2]
    }
    #expect(PictureSeam.shifted(shifted, shape: [12, 12, 2], ring: [4, 4]) == picture)
    #expect(PictureSeam.shifted(shifted, shape: [12, 12, 2], ring: [1, 1]) == shifted)
    // Without strides every row and column may be the first.
    #expect(PictureSeam.shifted(shifted, shape: [12, 12, 2], ring: [12, 12]) == picture)
    // Parts have to be of one length.
    #expect(PictureSeam.shifted(shifted, shape: [12, 12, 2], ring: [5, 7]) == shifted)
  }

  /// Three channels of 6 × 6, channels first.
  private static func rolled(_ picture: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    picture.indices.map { index in
      let (row, column) = ((index / 6 + rows) % 6, (index + columns) % 6)
      return picture[index / 36 * 36 + row * 6 + column]
    }
  }
}

extension Network {
  /// The same with circular padding at every convolution: what is beyond a border comes from the far side.
  fileprivate var circular: Network {
    var (result, places) = ([] as [Node], [:] as [Source: Source])
    for (index, node) in nodes.enumerated() {
      var sources = node.sources.map { places[$0] ?? $0 }
      var layer = node.layer
      if var convolution = layer as? Networks.Convolution,
        case .explicit(let padding) = convolution.padding
      {
        let extents = (node.inputShape ?? []).suffix(2).map { $0 ?? 0 }
        for (axis, (pad, extent)) in zip(padding, extents).enumerated() where pad > 0 {
          let source = sources[0]
          func slice(_ low: Int, _ high: Int) -> Source {
            var (below, above) = ([0, 0], [0, 0])
            (below[axis], above[axis]) = (low, high)
            result.append(
              Node(
                name: "\(node.name).\(axis).\(low)",
                layer: Resampling(.crop(low: below, high: above), channelsFirst: true),
                sources: [source]))
            return .node(result.count - 1)
          }
          result.append(
            Node(
              name: "\(node.name).\(axis)", layer: Merge(.concatenate(axis: axis + 1)),
              sources: [slice(extent - pad, 0), source, slice(0, extent - pad)]))
          sources = [.node(result.count - 1)]
        }
        convolution.padding = .valid
        layer = convolution
      }
      result.append(Node(name: node.name, layer: layer, sources: sources))
      places[.node(index)] = .node(result.count - 1)
    }
    return Network(name, inputShapes: inputShapes, nodes: result)
  }
}
