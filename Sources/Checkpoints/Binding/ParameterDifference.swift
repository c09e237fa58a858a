public import Networks
internal import Tensors

extension ParameterTable {
  /// `after − before` for every parameter that both tables have in the same shape.
  ///
  /// The difference of two rounded numbers is only as exact as the larger of them, so the result
  /// keeps the resolution of its operands.
  ///
  /// - Complexity: 8 bytes per parameter.
  public static func difference(after: ParameterTable, before: ParameterTable) -> ParameterTable {
    var result = ParameterTable(convention: after.convention)
    for key in after.keys {
      guard let new = after[key.node, key.role], let old = before[key.node, key.role],
        new.shape == old.shape, key.role.isTrainable
      else { continue }
      result[key.node, key.role] = new.subtracting(old)
    }
    return result
  }
}
