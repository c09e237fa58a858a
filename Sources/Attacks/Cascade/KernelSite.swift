internal import LinearAlgebra
internal import Networks
internal import TensorIR

/// A dense layer or convolution as the cascade needs it: which input place meets which output
/// place under which tap of the kernel.
///
/// A dense layer on a vector is a convolution of one tap over one place.
struct KernelSite {
  let node: Int
  let inputExtents: [Int]
  let outputExtents: [Int]
  let kernel: [Int]
  let inputs: Int
  let outputs: Int
  let groups: Int
  let geometry: ConvolutionGeometry?
  /// For each tap, the input place under each output place; −1 is padding.
  let places: [[Int]]

  var taps: Int { places.count }
  var inputPlaces: Int { inputExtents.reduce(1, *) }
  var outputPlaces: Int { outputExtents.reduce(1, *) }
  var groupInputs: Int { inputs / groups }
  var groupOutputs: Int { outputs / groups }
  /// Equations that the weight gradient gives per input channel.
  var equationsPerChannel: Int { taps * groupOutputs }

  /// - Returns: `nil` for a layer that is neither, or one whose kernel is not of that form.
  init?(_ node: Int, of network: Network, input: [Int], output: [Int]) {
    self.node = node
    guard let channels = input.last, let filters = output.last else { return nil }
    inputs = channels
    outputs = filters
    inputExtents = Array(input.dropLast())
    outputExtents = Array(output.dropLast())
    switch network.nodes[node].layer {
    case is Dense:
      kernel = []
      groups = 1
      geometry = nil
      guard inputExtents == outputExtents else { return nil }
      places = [Array(0..<inputExtents.reduce(1, *))]
    case let layer as Networks.Convolution
    where layer.variant == .plain || layer.variant == .depthwise:
      kernel = layer.kernel
      groups = layer.variant == .depthwise ? channels : layer.groups
      guard let found = layer.geometry(spatial: inputExtents, groups: groups),
        found.output(input: inputExtents, kernel: kernel) == outputExtents
      else { return nil }
      geometry = found
      places = Self.places(found, inputExtents, kernel, outputExtents)
    default: return nil
    }
  }

  private static func places(
    _ geometry: ConvolutionGeometry, _ input: [Int], _ kernel: [Int], _ output: [Int]
  ) -> [[Int]] {
    positions(kernel).map { tap in
      positions(output).map { place in
        var index = 0
        for axis in input.indices {
          let coordinate =
            geometry.stride[axis] * place[axis] + geometry.dilation[axis] * tap[axis]
            - geometry.low[axis]
          guard (0..<input[axis]).contains(coordinate) else { return -1 }
          index = index * input[axis] + coordinate
        }
        return index
      }
    }
  }

  /// All index tuples of these extents in row-major order.
  private static func positions(_ extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { tuples, extent in
      tuples.flatMap { tuple in (0..<extent).map { tuple + [$0] } }
    }
  }
}

extension KernelSite {
  /// `M(z̄)`: how one input channel of a group enters the weight gradient, the same for every
  /// channel of the group.
  ///
  /// - Parameter outputGradient: `[outputPlaces, outputs]`.
  /// - Shape: `[taps · groupOutputs, inputPlaces]`.
  func block(_ outputGradient: [Double], group: Int) -> DenseMatrix {
    var matrix = DenseMatrix(rows: equationsPerChannel, columns: inputPlaces)
    let (width, first) = (groupOutputs, group * groupOutputs)
    for (tap, sources) in places.enumerated() {
      for (place, source) in sources.enumerated() where source >= 0 {
        let target = source * equationsPerChannel + tap * width
        let start = place * outputs + first
        for output in 0..<width {
          matrix.elements[target + output] += outputGradient[start + output]
        }
      }
    }
    return matrix
  }

  /// The observed weight gradient as right-hand sides of ``block(_:group:)``.
  ///
  /// - Parameter weightGradient: `[taps, groupInputs, outputs]`.
  /// - Shape: `[taps · groupOutputs, groupInputs]`.
  func rightSide(_ weightGradient: [Double], group: Int) -> DenseMatrix {
    var matrix = DenseMatrix(rows: equationsPerChannel, columns: groupInputs)
    let (width, first) = (groupOutputs, group * groupOutputs)
    for tap in 0..<taps {
      for channel in 0..<groupInputs {
        let source = (tap * groupInputs + channel) * outputs + first
        let target = channel * equationsPerChannel + tap * width
        for output in 0..<width {
          matrix.elements[target + output] = weightGradient[source + output]
        }
      }
    }
    return matrix
  }

  /// What single-channel maps become under the kernel, without bias, for every input channel of a
  /// group at once.
  ///
  /// - Parameters:
  ///   - direction: One map, `[inputPlaces]`.
  ///   - weight: `[taps, groupInputs, outputs]`.
  /// - Shape: `[outputPlaces, groupInputs · groupOutputs]`, row-major, the outputs of one input
  ///   channel side by side.
  func responses(_ direction: [Double], _ weight: [Double], group: Int) -> DenseMatrix {
    // Transposed, so that the columns of the result are output places.
    var windows = DenseMatrix(rows: taps, columns: outputPlaces)
    for (tap, sources) in places.enumerated() {
      for (place, source) in sources.enumerated() where source >= 0 {
        windows.elements[place * taps + tap] = direction[source]
      }
    }
    let width = groupInputs * groupOutputs
    var kernel = DenseMatrix(rows: width, columns: taps)
    for tap in 0..<taps {
      for channel in 0..<groupInputs {
        let source = (tap * groupInputs + channel) * outputs + group * groupOutputs
        for output in 0..<groupOutputs {
          kernel.elements[tap * width + channel * groupOutputs + output] = weight[source + output]
        }
      }
    }
    return kernel * windows
  }
}
