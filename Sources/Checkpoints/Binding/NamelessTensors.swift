internal import Networks
package import Tensors

/// Arrays that carry a position but no name, as Flower and `np.savez` write them.
package enum NamelessTensors {
  /// Joins each array of two or more axes with the vector behind it, if that can be its bias.
  ///
  /// - Returns: one named tensor per array; the layer is called after the weight's path.
  package static func pair(_ arrays: [(path: String, tensor: Tensor)]) -> [NamedTensor] {
    var result: [NamedTensor] = []
    var open: (layer: String, shape: [Int])?
    for (path, tensor) in arrays {
      let layer = path.split { $0 == "/" || $0 == "." }.joined(separator: "_")
      if tensor.shape.count >= 2 {
        result.append(NamedTensor(path: path, layer: [layer], role: .weight, tensor: tensor))
        open = (layer, tensor.shape)
      } else if let weight = open, tensor.shape.count == 1,
        weight.shape.first == tensor.count || weight.shape.last == tensor.count
      {
        result.append(NamedTensor(path: path, layer: [weight.layer], role: .bias, tensor: tensor))
        open = nil
      } else {
        let role = ParameterRole.other(String(path.lastComponent))
        result.append(NamedTensor(path: path, layer: [layer], role: role, tensor: tensor))
        open = nil
      }
    }
    return result
  }

  /// Whether a name says nothing but a position: `arr_3`, `3`, `param_3`.
  package static func isPositional(_ name: String) -> Bool {
    name.wholeMatch(of: /(arr|array|param|tensor|ndarray|p)?[_-]?[0-9]+/.ignoresCase()) != nil
  }
}
