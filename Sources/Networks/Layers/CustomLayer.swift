/// A layer whose meaning the file does not carry.
///
/// Nothing of it is ever executed or loaded.
public struct CustomLayer: Layer {
  public static let kind = "custom"

  /// The class name the file uses.
  public var className: String
  /// Whether the file itself holds code for it, as a Keras `Lambda` does.
  public var carriesCode: Bool

  public init(className: String, carriesCode: Bool) {
    self.className = className
    self.carriesCode = carriesCode
  }

  public var detail: String? { className }
}

extension CustomLayer {
  static let reason = "its meaning is not in the file, and nothing of it is executed"

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    throw UnsupportedLayer(self, Self.reason)
  }
}
