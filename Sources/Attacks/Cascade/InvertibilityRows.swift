internal import LinearAlgebra
internal import Networks

/// The gradient equations of one layer for the map that it reads, at a known loss gradient.
///
/// A separable convolution is a depthwise one whose gradient has further rows: those of the
/// pointwise kernel, each a mixture of the taps of its channel.
struct GradientRows {
  /// The pointwise part of a separable convolution.
  struct Mixing {
    let filters: Int
    /// The loss gradient behind the layer, `[places, filters]`.
    let gradient: [Double]
    /// The depthwise kernel, `[taps, channels · multiplier]`.
    let kernel: [Double]
    /// Rows are divided by the root mean square of the pointwise gradient.
    var size = 1.0
  }

  let site: KernelSite
  /// `[outputPlaces, outputs]`.
  let outputGradient: [Double]
  var mixing: Mixing?
  /// Rows are divided by the root mean square of the weight gradient.
  var size = 1.0

  /// Rows for every channel of a group.
  var rows: Int {
    site.equationsPerChannel + (mixing.map { $0.filters * site.groupOutputs } ?? 0)
  }

  /// All equations of the layer.
  var equations: Int { rows * site.inputs }

  /// - Shape: `[rows, inputPlaces]`.
  func matrix(group: Int) -> DenseMatrix {
    let block = site.block(outputGradient, group: group)
    let factor = 1 / size
    let taps = DenseMatrix(
      rows: block.rows, columns: block.columns, elements: block.elements.map { $0 * factor })
    return mixing.map { taps.stacked(on: mixed($0, group: group)) } ?? taps
  }

  private func mixed(_ mixing: Mixing, group: Int) -> DenseMatrix {
    let (filters, width, wide) = (mixing.filters, site.groupOutputs, site.outputs)
    let rows = filters * width
    var elements = Array(repeating: 0.0, count: rows * site.inputPlaces)
    for (tap, sources) in site.places.enumerated() {
      for copy in 0..<width {
        let factor = mixing.kernel[tap * wide + group * width + copy] / mixing.size
        for (place, source) in sources.enumerated() where source >= 0 {
          let (target, start) = (source * rows + copy * filters, place * filters)
          for filter in 0..<filters {
            elements[target + filter] += factor * mixing.gradient[start + filter]
          }
        }
      }
    }
    return DenseMatrix(rows: rows, columns: site.inputPlaces, elements: elements)
  }

  /// Sets the sizes from the input that caused the gradient, `[inputPlaces, inputs]`.
  mutating func measure(_ input: [Double]) {
    size = max(weightSize(input), .leastNormalMagnitude)
    guard let mixing else { return }
    let hidden = site.response(input, mixing.kernel)
    let left = DenseMatrix(rows: site.outputs, columns: site.outputPlaces, elements: hidden)
    let right = DenseMatrix(
      rows: mixing.filters, columns: site.outputPlaces, elements: mixing.gradient)
    let product = left.timesTranspose(right)
    self.mixing?.size = max(product.elements.rootMeanSquareOrZero, .leastNormalMagnitude)
  }

  /// The root mean square of the weight gradient.
  private func weightSize(_ input: [Double]) -> Double {
    var total = 0.0
    for sources in site.places {
      let pairs = sources.indices.filter { sources[$0] >= 0 }
      for group in 0..<site.groups {
        let left = Self.gathered(
          input, pairs.map { sources[$0] }, of: site.inputs,
          group * site.groupInputs..<(group + 1) * site.groupInputs)
        let right = Self.gathered(
          outputGradient, pairs, of: site.outputs,
          group * site.groupOutputs..<(group + 1) * site.groupOutputs)
        guard pairs.count > 1 else {
          total += left.elements.dot(left.elements) * right.elements.dot(right.elements)
          continue
        }
        let product = left.timesTranspose(right)
        total += product.elements.dot(product.elements)
      }
    }
    return (total / Double(max(site.equationsPerChannel * site.inputs, 1))).squareRoot()
  }

  /// Some channels of a map at some places.
  ///
  /// - Shape: `[range, places]`.
  static func gathered(
    _ map: [Double], _ places: [Int], of channels: Int, _ range: Range<Int>
  ) -> DenseMatrix {
    let width = range.count
    var elements: [Double] = []
    elements.reserveCapacity(width * places.count)
    for place in places {
      let start = place * channels + range.lowerBound
      elements.append(contentsOf: map[start..<start + width])
    }
    return DenseMatrix(rows: width, columns: places.count, elements: elements)
  }
}

// MARK: - Without the matrix

extension GradientRows {
  /// `M Mᵀ` for the rows of several layers over one map, tap by tap.
  ///
  /// Two taps meet where they read the same place, so the cost is that of the products of the
  /// gradients there; `M` itself, rows × places, is never formed.
  ///
  /// - Precondition: no layer is separable.
  static func rowGram(_ parts: [(rows: GradientRows, group: Int)]) -> DenseMatrix {
    var blocks: [(part: GradientRows, sources: [Int], range: Range<Int>, start: Int)] = []
    var count = 0
    for (part, group) in parts {
      let width = part.site.groupOutputs
      for sources in part.site.places {
        blocks.append((part, sources, group * width..<(group + 1) * width, count))
        count += width
      }
    }
    let places = parts.first?.rows.site.inputPlaces ?? 0
    var elements = Array(repeating: 0.0, count: count * count)
    for left in blocks.indices {
      var reader = Array(repeating: -1, count: places)
      for (place, source) in blocks[left].sources.enumerated() where source >= 0 {
        reader[source] = place
      }
      for right in left..<blocks.count {
        let (a, b) = (blocks[left], blocks[right])
        var (here, there) = ([Int](), [Int]())
        for (place, source) in b.sources.enumerated() where source >= 0 && reader[source] >= 0 {
          here.append(reader[source])
          there.append(place)
        }
        if here.isEmpty { continue }
        let product = gathered(
          a.part.outputGradient, here, of: a.part.site.outputs, a.range
        ).timesTranspose(
          gathered(b.part.outputGradient, there, of: b.part.site.outputs, b.range))
        let factor = 1 / (a.part.size * b.part.size)
        for column in 0..<product.columns {
          for row in 0..<product.rows {
            let value = product.elements[column * product.rows + row] * factor
            elements[(b.start + column) * count + a.start + row] = value
            elements[(a.start + row) * count + b.start + column] = value
          }
        }
      }
    }
    return DenseMatrix(rows: count, columns: count, elements: elements)
  }
}
