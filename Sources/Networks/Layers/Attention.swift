/// Attention between positions.
public struct Attention: Layer {
  public static let kind = "attention"

  /// The class name the file uses.
  public var name: String

  public init(name: String) { self.name = name }
  public var detail: String? { name }
}
