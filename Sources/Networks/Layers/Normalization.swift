/// Normalises within one sample: layer, group, instance or unit normalisation.
public struct Normalization: Layer {
  public static let kind = "normalization"

  /// The class name the file uses.
  public var name: String

  public init(name: String) { self.name = name }
  public var detail: String? { name }
}
