package import Networks
internal import Tensors

/// A parameter that rules could not judge, and why.
package struct PassedOver: Sendable, Hashable {
  package var node: Int
  package var layer: String
  package var role: ParameterRole
  /// A clause without its full stop.
  package var reason: String

  /// Every parameter of `subject` that holds something else than numbers, or too many units.
  ///
  /// That no rule speaks of one of these says nothing about it. In node order, then by role.
  ///
  /// - Complexity: O(*elements*) at most; the sums over weights are those that rules use as well.
  package static func all(in subject: Subject) -> [PassedOver] {
    guard let parameters = subject.parameters else { return [] }
    return parameters.table.keys.compactMap { key in
      guard let tensor = parameters.table[key.node, key.role], tensor.count > 0,
        subject.network.nodes.indices.contains(key.node),
        let reason = reason(tensor, parameters.matrix(key.node, key.role))
      else { return nil }
      return PassedOver(
        node: key.node, layer: subject.network.nodes[key.node].name, role: key.role,
        reason: reason)
    }
  }

  /// The classifiers of `subject` with too many rows for an assignment to those of its reference.
  package static func unassigned(in subject: Subject) -> [PassedOver] {
    guard subject.reference != nil else { return [] }
    return subject.denseNodesFacingOutput.compactMap { site, _ in
      guard let rows = subject.parameters?.matrix(site.node)?.view.rows,
        rows > Permutation.rowLimit
      else { return nil }
      return PassedOver(
        node: site.node, layer: subject.network.nodes[site.node].name, role: .weight,
        reason: "\(rows) rows, of which no more than \(Permutation.rowLimit) are looked for in "
          + "other places")
    }
  }

  private static func reason(_ tensor: Tensor, _ matrix: LayerMatrix?) -> String? {
    if let matrix, matrix.statistics.rows.allSatisfy(\.fourthPowers.isFinite) { return nil }
    let summary = tensor.summary()
    if !summary.isFinite {
      let count = summary.nanCount + summary.infinityCount
      return "\(count) of its \(tensor.count) values are NaN or infinite, so no rule about weights "
        + "can judge them"
    }
    guard tensor.shape.count >= 2 else { return nil }
    return matrix == nil
      ? "more units than \(Parameters.unitLimit), which no rule compares"
      : "values too large for their fourth powers, so no rule about weights can judge them"
  }
}
