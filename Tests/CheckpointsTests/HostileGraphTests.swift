import Checkpoints
import Foundation
import Networks
import TensorIR
import Testing

/// Building a graph is the first thing that computes with what a file says about shapes.
@Suite("Graphs of untrusted architectures")
struct HostileGraphTests {
  /// A graph or an error that names a layer; anything else would be a trap.
  private func build(_ network: Network, _ modes: [ForwardPass.Mode] = [.inference]) {
    guard !network.nodes.isEmpty else { return }
    for mode in modes {
      do throws(UnsupportedLayer) {
        let graph = try network.gradientGraph(samples: 2, loss: .softmaxCrossEntropy(), mode: mode)
        #expect(throws: Never.self) { try graph.graph.verify() }
      } catch {
        #expect(!error.reason.isEmpty)
      }
    }
  }

  @Test("no hostile file traps when its architecture becomes a graph")
  func files() throws {
    let reader = CheckpointReader(sandbox: SandboxedReader(executable: Place.executable))
    let names = try FileManager.default.contentsOfDirectory(atPath: Place.hostile)
      .filter { $0.contains("config") || $0.contains("architecture") || $0.contains("layout") }
    #expect(names.count > 20)
    for name in names.sorted() {
      let contents = try? reader.read(Place.hostile + "/" + name, as: .model).contents
      if let network = contents?.architecture { build(network, ForwardPass.Mode.allCases) }
    }
  }

  /// Numbers that are at an edge, or far beyond one.
  private static let numbers = [
    "-9223372036854775808", "-1", "0", "3", "1048576", "1073741824", "1e300", "null", #""same""#,
    "[]", "[0, 2]", "[3, 2, 1]", "[[0, 9], [1, 0]]", "[1048576, 1048576]",
  ]

  /// Each kind with every field it has, all plausible for `[6, 6, 4]` or `[6, 4]`.
  private static let layers: [(kind: String, fields: [(String, String)])] = [
    ("dense", [("outputs", "3")]),
    ("activation", [("function", #""softmax""#), ("alpha", "1")]),
    ("reshape", [("target", "[4, 36]")]),
    ("batch-normalization", [("axis", "-1"), ("epsilon", "0.1")]),
    ("normalization", [("axes", "[-1]"), ("class_name", #""RMSNorm""#)]),
    ("normalization", [("axis", "-1"), ("groups", "2")]),
    ("normalization", [("axis", "-1"), ("mean", "[1, 2, 3, 4]"), ("variance", "[1, 2, 3, 4]")]),
    (
      "convolution",
      [
        ("filters", "4"), ("kernel", "[3, 3]"), ("stride", "[2, 1]"), ("dilation", "[1, 2]"),
        ("padding", "[1, 2]"), ("groups", "2"),
      ]
    ),
    (
      "convolution",
      [
        ("variant", #""transposed""#), ("filters", "4"), ("kernel", "[3, 3]"),
        ("stride", "[2, 2]"), ("output_padding", "[1, 0]"), ("padding", #""same""#),
        ("groups", "2"), ("dilation", "[1, 1]"),
      ]
    ),
    (
      "convolution",
      [
        ("variant", #""separable""#), ("filters", "4"), ("kernel", "[2, 2]"), ("multiplier", "2"),
        ("padding", #""causal""#),
      ]
    ),
    (
      "convolution",
      [("variant", #""depthwise""#), ("filters", "2"), ("kernel", "[2, 2]"), ("stride", "2")]
    ),
    (
      "pooling",
      [
        ("statistic", #""maximum""#), ("window", "[2, 2]"), ("stride", "[1, 1]"),
        ("dilation", "[2, 1]"), ("padding", "[1, 0]"), ("ceil_mode", "true"),
      ]
    ),
    (
      "pooling",
      [
        ("statistic", #""average""#), ("window", "[3, 2]"), ("stride", "[2, 3]"),
        ("padding", "[1, 1]"), ("ceil_mode", "true"), ("counts_padding", "true"),
      ]
    ),
    ("pooling", [("statistic", #""average""#), ("output_extents", "[4, 2]")]),
    ("pooling", [("statistic", #""maximum""#), ("output_extents", "[3, 2]")]),
    ("embedding", [("tokens", "9"), ("width", "2"), ("padding_token", "1")]),
    (
      "recurrent",
      [("cell", #""GRU""#), ("units", "3"), ("activation", #""relu""#), ("resets_after", "true")]
    ),
    ("recurrent", [("cell", #""LSTM""#), ("units", "3"), ("activation", #""softmax""#)]),
    (
      "attention",
      [("heads", "2"), ("key_width", "3"), ("value_width", "2"), ("outputs", "4")]
    ),
    ("merge", [("operation", #""Concatenate""#), ("axis", "-1")]),
    ("merge", [("operation", #""Dot""#), ("axes", "[-1, -1]")]),
    ("merge", [("operation", #""Subtract""#)]),
    ("resampling", [("operation", #""pad""#), ("amounts", "[[1, 2], [0, 1]]")]),
    ("resampling", [("operation", #""crop""#), ("amounts", "[[1, 2], [0, 1]]")]),
    (
      "resampling",
      [
        ("operation", #""upsample""#), ("factors", "[2, 3]"), ("interpolation", #""linear""#),
        ("align_corners", "true"),
      ]
    ),
    ("resampling", [("operation", #""permute""#), ("order", "[1, 0, 2]")]),
    ("resampling", [("operation", #""repeat""#), ("count", "3")]),
    ("select", [("axis", "0"), ("index", "-1")]),
    ("class-token", []), ("position-embedding", []), ("flatten", []),
  ]

  private static let shapes = [
    "[6, 6, 4]", "[6, 4]", "[4]", "[]", "[1, 1, 1]", "[1073741824, 1073741824, 4]",
    "[4096, 64, 4]",
  ]

  @Test("no field, however wrong, traps when a layer becomes a graph", arguments: [false, true])
  func fields(channelsFirst: Bool) throws {
    var built = 0
    for (kind, fields) in Self.layers {
      var variants = [fields]
      for index in fields.indices {
        for number in Self.numbers {
          var changed = fields
          changed[index].1 = number
          variants.append(changed)
        }
      }
      for shape in Self.shapes {
        for variant in variants {
          let isJoint = kind == "merge" || kind == "attention"
          for sources in isJoint ? [#""x""#, #""x", "x""#] : [#""x""#] {
            let rest = variant.map { #""\#($0.0)": \#($0.1)"# }.joined(separator: ", ")
            let text = """
              {"inputs": [{"name": "x", "shape": \(shape)}], "layers": [{"name": "a", "kind": \
              "\(kind)", "inputs": [\(sources)]\(rest.isEmpty ? "" : ", " + rest)}]}
              """
            let network = try? ArchitectureJSON.network(
              from: text, channelsFirst: channelsFirst, loss: nil, file: "f")
            guard let network else { continue }
            build(network)
            built += 1
          }
        }
      }
    }
    #expect(built > 2000)
  }
}
