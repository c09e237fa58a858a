package import Networks
package import Tensors

/// What a client does to a gradient or an update as a whole before it sends it: noise, then sparsity,
/// then rounding.
package struct Protection: Hashable, Sendable {
  /// How numbers are rounded.
  package enum Quantization: Hashable, Sendable {
    /// To the nearest number of a format with fewer bits, in which they are stored too.
    case format(ElementKind)
    /// To the nearest of the `2ᵇ − 1` multiples of `max |x| / (2ᵇ⁻¹ − 1)` of each tensor.
    case uniform(bits: Int)
  }

  /// Standard deviation of the Gaussian noise added to every entry, in the units of what is sent.
  package var noise: Double?
  /// The share of all entries that is kept, those of the largest magnitude; the others become zero.
  package var keptShare: Double?
  package var quantization: Quantization?
  /// Where the noise starts.
  package var seed: UInt64 = 0
  /// The format that numbers are rounded to and stored in, unless ``quantization`` says another.
  package var storage: ElementKind = .float32

  package init() {}

  /// The format in which the result is stored.
  package var storedKind: ElementKind {
    if case .format(let kind) = quantization { kind } else { storage }
  }

  /// - Throws: ``SimulationError`` if a number is beyond half precision.
  package func applied(
    to table: ParameterTable, of network: Network
  ) throws(SimulationError) -> ParameterTable {
    var values = table.keys.map { table[$0.node, $0.role]?.elements() ?? [] }
    if let noise {
      var generator = SplitMix64(seed: seed)
      for place in values.indices {
        for entry in values[place].indices {
          values[place][entry] += noise * generator.normal()
        }
      }
    }
    if let keptShare { Self.keepLargest(keptShare, of: &values) }
    if case .uniform(let bits) = quantization {
      values = values.map { Self.quantized($0, bits: bits) }
    }
    var result = table
    for (key, values) in zip(table.keys, values) {
      let rounded = values.map(storedKind.nearest)
      if let place = rounded.firstIndex(where: { !$0.isFinite }) {
        throw SimulationError(
          .beyondFormat(
            layer: network.nodes[key.node].name, value: values[place], kind: storedKind))
      }
      result[key.node, key.role] = Tensor(
        rounded, shape: table[key.node, key.role]?.shape ?? [], resolution: storedKind)
    }
    return result
  }

  /// Sets all but a share of the entries to zero; of equal ones, the first are kept.
  ///
  /// - Source: Aji & Heafield, *Sparse Communication for Distributed Gradient Descent*, EMNLP 2017,
  ///   with one threshold for all tensors.
  static func keepLargest(_ share: Double, of values: inout [[Double]]) {
    let magnitudes = values.joined().map(\.magnitude)
    let kept = min(max(Int((share * Double(magnitudes.count)).rounded(.up)), 1), magnitudes.count)
    guard kept < magnitudes.count else { return }
    let threshold = magnitudes.sorted(by: >)[kept - 1]
    var ties = kept - magnitudes.count { $0 > threshold }
    for place in values.indices {
      for entry in values[place].indices {
        let magnitude = values[place][entry].magnitude
        if magnitude > threshold { continue }
        if magnitude == threshold, ties > 0 { ties -= 1 } else { values[place][entry] = 0 }
      }
    }
  }

  /// Multiples of a step that is the largest magnitude over `2ᵇ⁻¹ − 1`.
  static func quantized(_ values: [Double], bits: Int) -> [Double] {
    let levels = Double(1 << (bits - 1) - 1)
    let step = (values.map(\.magnitude).max() ?? 0) / levels
    return step > 0 ? values.map { ($0 / step).rounded(.toNearestOrEven) * step } : values
  }
}
