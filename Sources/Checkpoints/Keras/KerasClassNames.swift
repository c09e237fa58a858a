/// The group names that Keras derives from class names, matched with a configuration.
///
/// Keras' container saver calls the first `Dense` it meets `dense`, the second `dense_1`; an inner
/// model becomes `functional` or `sequential` with its own `layers`.
package struct KerasClassNames {
  private var layers: [String: [String]] = [:]

  package init(configuration: String?) {
    guard let json = configuration.flatMap({ JSONValue(untrusted: $0) }) else { return }
    collect(json, place: "", prefix: [])
  }

  /// The name parts of the layer whose variables lie below `place`, such as `layers/dense_1`.
  package func layer(at place: String) -> [String]? {
    layers[place.replacing("_layer_checkpoint_dependencies", with: "layers")]
  }

  private mutating func collect(_ model: JSONValue, place: String, prefix: [String]) {
    var used: [String: Int] = [:]
    let root = place.isEmpty ? "layers" : place + "/layers"
    for layer in model["config"]?["layers"]?.array ?? [] {
      guard let className = layer["class_name"]?.string, place.utf8.count < 512 else { continue }
      let name = layer["config"]?["name"]?.string ?? layer["name"]?.string ?? className
      let stem = Self.snakeCase(className == "Model" ? "Functional" : className)
      let group = used[stem].map { "\(stem)_\($0)" } ?? stem
      used[stem, default: 0] += 1
      layers[root + "/" + group] = prefix + [name]
      if layer["config"]?["layers"] != nil {
        collect(layer, place: root + "/" + group, prefix: prefix + [name])
      }
    }
  }

  /// `Conv2DTranspose` → `conv2d_transpose`, as Keras' naming does it.
  package static func snakeCase(_ name: String) -> String {
    name.replacing(/\W+/, with: "")
      .replacing(/(.)([A-Z][a-z]+)/) { "\($0.1)_\($0.2)" }
      .replacing(/([a-z])([A-Z])/) { "\($0.1)_\($0.2)" }
      .lowercased()
  }
}
