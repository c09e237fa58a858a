package import Networks
internal import Synchronization
package import Tensors

/// The weights of a network as rules see them: read where they lie in the file, summarised once.
package struct Parameters: Sendable {
  package let table: ParameterTable
  /// Everything with at least two axes and no more units than any layer has, in node order and then
  /// by role.
  package let matrices: [LayerMatrix]
  /// More units than the widest layers in use, so that what is kept per unit stays small.
  static let unitLimit = 1 << 20

  package init(_ table: ParameterTable, of network: Network) {
    self.table = table
    matrices = table.keys.compactMap { key in
      guard let tensor = table[key.node, key.role], tensor.shape.count >= 2, tensor.count > 0,
        network.nodes.indices.contains(key.node)
      else { return nil }
      let matrix = LayerMatrix(key, tensor, network.nodes[key.node], table.convention)
      return max(matrix.view.rows, matrix.view.columns) <= Self.unitLimit ? matrix : nil
    }
  }

  /// The matrix of one parameter, if it has at least two axes.
  package func matrix(_ node: Int, _ role: ParameterRole = .weight) -> LayerMatrix? {
    matrices.first { $0.key.node == node && $0.key.role == role }
  }

  /// All numbers of one parameter, row-major, if the table has it.
  package func elements(_ node: Int, _ role: ParameterRole) -> [Double]? {
    table[node, role]?.elements()
  }
}

/// One weight as a matrix: a row per unit, filter or, in a lookup table, per feature.
package final class LayerMatrix: Sendable {
  /// What the rows are.
  package enum Kind: Sendable { case dense, convolution, attention, recurrent, lookUp, other }

  package let key: ParameterTable.Key
  package let kind: Kind
  package let layer: String
  package let view: RowView
  /// What is computed once, when the first rule asks.
  private let shared = SharedValue<RowStatistics>()
  private let sharedTransposed = SharedValue<LayerMatrix>()
  private let sharedGroups = SharedValue<[[Int]]>()

  package init(key: ParameterTable.Key, kind: Kind, layer: String, view: RowView) {
    (self.key, self.kind, self.layer, self.view) = (key, kind, layer, view)
  }

  convenience init(
    _ key: ParameterTable.Key, _ tensor: Tensor, _ node: Network.Node,
    _ convention: ParameterTable.Convention
  ) {
    let kind = Self.kind(node.layer, key.role)
    var axis: RowView.Axis = convention == .channelsFirst ? .first : .last
    var rows: Int?
    if kind == .lookUp { axis = .last }
    if kind == .attention, convention == .channelsLast, tensor.shape.count == 3,
      !key.role.description.hasPrefix("output")
    {
      // Keras keeps the heads apart: `[inputs, heads, width]`.
      rows = tensor.shape[1] * tensor.shape[2]
    }
    self.init(
      key: key, kind: kind, layer: node.name,
      view: RowView(tensor, unitsAlong: axis, rows: rows))
  }

  private static func kind(_ layer: any Layer, _ role: ParameterRole) -> Kind {
    switch layer {
    case is Dense where role == .weight: return .dense
    case let layer as Networks.Convolution where layer.variant == .plain && role == .weight:
      return .convolution
    case is Attention: return .attention
    case is Recurrent: return .recurrent
    case is Embedding, is PositionEmbedding, is ClassToken: return .lookUp
    default: return role == .embeddings ? .lookUp : .other
    }
  }

  /// Rows of the same layer as they are summarised in one pass.
  package var statistics: RowStatistics { shared.value { RowStatistics(view) } }

  /// The matrix of which the columns of this one are the rows.
  package var transposed: LayerMatrix {
    sharedTransposed.value {
      LayerMatrix(key: key, kind: kind, layer: layer, view: view.transposed)
    }
  }

  /// Rows that point the same way or opposite ways, to a cosine of 0.999; largest group first.
  package var parallelRows: [[Int]] {
    sharedGroups.value { ParallelRows.groups(in: self, cosine: 0.999) }
  }
}

/// A value that is computed when somebody first asks, by whoever asks; the others wait.
private final class SharedValue<Value: Sendable>: Sendable {
  private let stored = Mutex<Value?>(nil)

  func value(_ compute: () -> Value) -> Value {
    stored.withLock { stored in
      if let known = stored { return known }
      let computed = compute()
      stored = computed
      return computed
    }
  }
}
