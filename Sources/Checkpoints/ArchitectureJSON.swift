package import Networks

/// Reads the architecture of this project's own layout; `LayoutDocument` describes it.
package enum ArchitectureJSON {
  package static func network(
    from text: String, channelsFirst: Bool, loss: String?, file: String
  ) throws(CheckpointError) -> Network {
    func failure(_ detail: String) -> CheckpointError {
      CheckpointError(.architecture(detail: detail), file: file)
    }
    guard let json = JSONValue(untrusted: text), let layers = json["layers"]?.array else {
      throw failure("attribute 'architecture' is not a JSON object with a list 'layers'")
    }
    var sources: [String: Network.Source] = [:]
    var shapes: [Shape] = []
    for input in json["inputs"]?.array ?? [] {
      guard let name = input["name"]?.string, let shape = input["shape"]?.shape,
        input["shape"]?.hasPlausibleExtents == true
      else {
        throw failure("an input needs 'name' and 'shape', each axis at most 2^30 long")
      }
      sources[name] = .input(shapes.count)
      shapes.append(shape)
    }
    var nodes: [Network.Node] = []
    for layer in layers {
      guard let name = layer["name"]?.string, let kind = layer["kind"]?.string else {
        throw failure("a layer needs 'name' and 'kind'")
      }
      guard let read = LayerJSON(layer, channelsFirst: channelsFirst).layer(kind) else {
        throw failure(
          "layer '\(name)' is of kind '\(kind)' with missing or impossible fields; known kinds: "
            + LayerCatalog.all.map { $0.kind }.joined(separator: ", "))
      }
      let names = layer["inputs"]?.array?.compactMap(\.string) ?? []
      let arriving = names.compactMap { sources[$0] }
      guard !arriving.isEmpty, arriving.count == names.count else {
        throw failure("layer '\(name)' reads from something that does not come before it")
      }
      guard sources[name] == nil else { throw failure("two layers are called '\(name)'") }
      sources[name] = .node(nodes.count)
      nodes.append(Network.Node(name: name, layer: read, sources: arriving))
    }
    guard !nodes.isEmpty else { throw failure("attribute 'architecture' lists no layer") }
    let outputs = (json["outputs"]?.array ?? []).compactMap { name -> Int? in
      guard let name = name.string, case .node(let index) = sources[name] else { return nil }
      return index
    }
    return Network(
      json["name"]?.string ?? "model", inputShapes: shapes, nodes: nodes, loss: loss,
      outputs: outputs)
  }
}

extension JSONValue {
  /// A positive whole number of plausible size.
  ///
  /// Bounded so that no product of an extent and an amount overflows.
  var extent: Int? { integer.flatMap { $0 > 0 && $0 <= 1 << 30 ? $0 : nil } }

  /// One whole number of plausible size, or a list of them, such as a stride per axis.
  var amounts: [Int]? {
    integers.flatMap { $0.allSatisfy { (0...1 << 20).contains($0) } ? $0 : nil }
  }

  /// For each axis an amount before and one behind: `[[1, 2], [0, 1]]`, or `[1, 2]` for one axis.
  var pairs: (low: [Int], high: [Int])? {
    guard let rows = array?.map(\.amounts), !rows.isEmpty else { return nil }
    let pairs = rows.compactMap { $0?.count == 2 ? $0 : nil }
    guard pairs.count == rows.count else { return nil }
    return (pairs.map { $0[0] }, pairs.map { $0[1] })
  }

  /// A whole number within ±2^20, such as an axis.
  var small: Int? { integer.flatMap { (-1 << 20...1 << 20).contains($0) ? $0 : nil } }

  /// Axes or places, each within ±2^20.
  var smalls: [Int]? {
    integers.flatMap { $0.allSatisfy { (-1 << 20...1 << 20).contains($0) } ? $0 : nil }
  }

  /// Numbers out of lists within lists.
  var flattenedNumbers: [Double]? {
    if let number { return [number] }
    guard let array else { return nil }
    let parts = array.compactMap(\.flattenedNumbers)
    return parts.count == array.count ? parts.flatMap { $0 } : nil
  }

  /// Whether no extent of a shape is longer than anything can be.
  var hasPlausibleExtents: Bool { array?.allSatisfy { $0.number ?? 0 <= 0x1p30 } ?? true }

  /// A list of extents; anything that is not a positive whole number is open.
  var shape: Shape? { array.map { $0.map(\.extent) } }
}
