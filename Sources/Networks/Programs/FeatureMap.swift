public import TensorIR

/// A layer's input or output inside a graph: one tensor with a leading sample axis.
///
/// Convolutions compute on channels-last tensors. Between layers that a file declares
/// channels-first the tensor stays channels-last, and only a layer that depends on the declared
/// order, such as flatten, has it moved back.
public struct FeatureMap: Sendable {
  /// The tensor as the graph holds it.
  public var value: Value
  /// Whether the declared axis 1, the channels, is held behind the others.
  public var isHeldChannelsLast: Bool

  public init(_ value: Value, isHeldChannelsLast: Bool = false) {
    self.value = value
    self.isHeldChannelsLast = isHeldChannelsLast
  }

  /// The same order with other elements.
  ///
  /// - Precondition: `value` has the axes of this map, if not the extents.
  public func replacing(_ value: Value) -> FeatureMap {
    FeatureMap(value, isHeldChannelsLast: isHeldChannelsLast)
  }

  /// The extents as declared, the sample axis included.
  public var declaredShape: [Int] {
    var shape = value.type.shape
    if isHeldChannelsLast { shape.insert(shape.removeLast(), at: 1) }
    return shape
  }

  /// Where the tensor holds a declared axis, both counted with the sample axis.
  public func heldAxis(_ declared: Int) -> Int {
    guard isHeldChannelsLast, declared > 0 else { return declared }
    return declared == 1 ? value.type.rank - 1 : declared - 1
  }

  /// The tensor in its declared order.
  public func declared(in graph: inout Graph) -> Value {
    guard isHeldChannelsLast else { return value }
    let rank = value.type.rank
    return graph.apply(Transpose([0, rank - 1] + Array(1..<rank - 1)), value)
  }

  /// The tensor with the channels last.
  ///
  /// - Parameters:
  ///   - channelsFirst: Whether the layer declares its channels on axis 1.
  ///   - graph: Where a transposition is appended if one is needed.
  /// - Returns: `[samples, spatial…, channels]`.
  public func channelsLast(declaredFirst channelsFirst: Bool, in graph: inout Graph) -> Value {
    guard channelsFirst, !isHeldChannelsLast else {
      return channelsFirst ? value : declared(in: &graph)
    }
    let rank = value.type.rank
    return graph.apply(Transpose([0] + Array(2..<rank) + [1]), value)
  }
}

extension Shape {
  /// A declared axis, counted without the sample axis, as an index; negative counts from the end.
  func axis(_ axis: Int) -> Int? {
    if axis >= 0 { return axis < count ? axis : nil }
    return axis >= -count ? count + axis : nil
  }
}
