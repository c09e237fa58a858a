import Attacks
import LinearAlgebra
import Networks

/// A convolution over random features after ReLU, and the weight gradient of given output gradients.
struct PatchSample {
  enum Padding { case zero, circular }

  let map: PatchWalk.Map
  /// Positions × taps · inputs.
  let patches: DenseMatrix
  /// The convolution's output, outputs × positions.
  let sums: DenseMatrix

  /// - Parameters:
  ///   - height: positions along the first axis.
  ///   - width: positions along the second.
  ///   - kernel: taps along each axis.
  ///   - inputs: channels.
  ///   - outputs: channels.
  ///   - behind: further positions along each axis, which the map leaves out.
  ///   - padding: what lies beyond the border.
  ///   - seed: of features and weights.
  init(
    height: Int, width: Int, kernel: Int = 3, inputs: Int, outputs: Int, behind: Int = 0,
    padding: Padding = .zero, seed: UInt64
  ) {
    let pad = kernel / 2
    map = PatchWalk.Map(
      height: height, width: width, kernel: [kernel, kernel], low: [pad, pad],
      high: Array(repeating: max(pad - behind, 0), count: 2), inputs: inputs)
    var generator = SplitMix64(seed: seed)
    let (tall, wide) = (height + behind, width + behind)
    // Smooth over the map, as features are, and zero for about half.
    let base = (0..<inputs).map { _ in
      (0..<(tall + 2) * (wide + 2)).map { _ in generator.normal() }
    }
    func feature(_ channel: Int, _ y: Int, _ x: Int) -> Double {
      let v = base[channel]
      let at = y * (wide + 2) + x
      return max(v[at] + 0.5 * (v[at + 1] + v[at + wide + 2]), 0)
    }
    var patches = DenseMatrix(rows: height * width, columns: kernel * kernel * inputs)
    for p in 0..<height * width {
      for tap in 0..<kernel * kernel {
        var (y, x) = (p / width + tap / kernel - pad, p % width + tap % kernel - pad)
        if padding == .circular { (y, x) = ((y + tall) % tall, (x + wide) % wide) }
        guard y >= 0, y < tall, x >= 0, x < wide else { continue }
        for c in 0..<inputs { patches[p, tap * inputs + c] = feature(c, y, x) }
      }
    }
    let deviation = (2 / Double(kernel * kernel * inputs)).squareRoot()
    let weights = DenseMatrix(
      rows: outputs, columns: patches.columns,
      elements: (0..<outputs * patches.columns).map { _ in deviation * generator.normal() })
    self.patches = patches
    sums = weights.timesTranspose(patches)
  }

  /// The slopes of ReLU or leaky ReLU at the outputs.
  func slopes(leak: Double = 0) -> DenseMatrix {
    DenseMatrix(
      rows: sums.rows, columns: sums.columns, elements: sums.elements.map { $0 > 0 ? 1 : leak })
  }

  /// The gradient of max pooling after ReLU, from one for every window: outputs × positions.
  func winners(pooled: DenseMatrix, window: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: sums.rows, columns: sums.columns)
    let across = map.width / window
    for output in 0..<sums.rows {
      for w in 0..<pooled.columns {
        let members = (0..<window * window).map { k in
          (w / across * window + k / window) * map.width + w % across * window + k % window
        }
        guard let best = members.max(by: { sums[output, $0] < sums[output, $1] }),
          sums[output, best] > 0
        else { continue }
        result[output, best] = pooled[output, w]
      }
    }
    return result
  }

  /// `Z R`, rounded to single precision, or with noise of this relative size.
  func gradient(_ z: DenseMatrix, noise: Double? = nil, seed: UInt64 = 1) -> DenseMatrix {
    var q = z * patches
    guard let noise else {
      q.elements = q.elements.map { Double(Float($0)) }
      return q
    }
    var generator = SplitMix64(seed: seed)
    let size = noise * q.frobeniusNorm / Double(q.elements.count).squareRoot()
    q.elements = q.elements.map { $0 + size * generator.normal() }
    return q
  }
}

/// The largest difference between entries.
func greatestDifference(_ a: DenseMatrix, _ b: DenseMatrix) -> Double {
  zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
