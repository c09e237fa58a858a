package import LinearAlgebra
package import Networks
internal import TensorIR

/// A dense layer or convolution as the cascade needs it: which input place meets which output
/// place under which tap of the kernel.
///
/// A dense layer on a vector is a convolution of one tap over one place.
package struct KernelSite {
  let node: Int
  private(set) var inputExtents: [Int]
  let outputExtents: [Int]
  let kernel: [Int]
  let inputs: Int
  let outputs: Int
  package let groups: Int
  private(set) var geometry: ConvolutionGeometry?
  /// For each tap, the input place under each output place; −1 is padding.
  private(set) var places: [[Int]]

  var taps: Int { places.count }
  var inputPlaces: Int { inputExtents.reduce(1, *) }
  var outputPlaces: Int { outputExtents.reduce(1, *) }
  var groupInputs: Int { inputs / groups }
  var groupOutputs: Int { outputs / groups }
  /// Equations that the weight gradient gives per input channel.
  var equationsPerChannel: Int { taps * groupOutputs }
  /// Whether these outnumber the places of a channel by a fifth or more.
  var hasEquationsToSpare: Bool { 5 * equationsPerChannel >= 6 * inputPlaces }

  /// - Returns: `nil` for a layer that is neither, or one whose kernel is not of that form.
  package init?(_ node: Int, of network: Network, input: [Int], output: [Int]) {
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
        found.output(input: inputExtents, kernel: kernel) == outputExtents,
        let pairs = (kernel + outputExtents as Shape).elementCount, pairs <= Self.pairLimit
      else { return nil }
      geometry = found
      places = Self.places(found, inputExtents, kernel, outputExtents)
    default: return nil
    }
  }

  /// No more pairs of a tap and an output place are tabulated; a file may ask for any number.
  private static let pairLimit = 1 << 24

  private static func places(
    _ geometry: ConvolutionGeometry, _ input: [Int], _ kernel: [Int], _ output: [Int]
  ) -> [[Int]] {
    let outputs = positions(output)
    return positions(kernel).map { tap in
      outputs.map { place in
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
  /// The same kernel over a map from which a layer in between copies whole places.
  ///
  /// - Parameters:
  ///   - extents: Those of the map.
  ///   - origins: The place of the map at each place of the kernel's input; −1 for zeros.
  /// - Returns: A site whose input is that map.
  func reading(_ extents: [Int], from origins: [Int]) -> KernelSite {
    var site = self
    site.inputExtents = extents
    site.geometry = nil
    site.places = places.map { $0.map { $0 < 0 ? -1 : origins[$0] } }
    return site
  }

  /// `M(z̄)`: how one input channel of a group enters the weight gradient, the same for every
  /// channel of the group.
  ///
  /// - Parameters:
  ///   - outputGradient: `[outputPlaces, outputs]`.
  ///   - group: Whose outputs are taken.
  /// - Returns: `[taps · groupOutputs, inputPlaces]`.
  package func block(_ outputGradient: [Double], group: Int) -> DenseMatrix {
    // Elements are filled in an array of their own: in place, whichever module inlines what.
    var elements = Array(repeating: 0.0, count: equationsPerChannel * inputPlaces)
    let (width, first) = (groupOutputs, group * groupOutputs)
    for (tap, sources) in places.enumerated() {
      for (place, source) in sources.enumerated() where source >= 0 {
        let target = source * equationsPerChannel + tap * width
        let start = place * outputs + first
        for output in 0..<width {
          elements[target + output] += outputGradient[start + output]
        }
      }
    }
    return DenseMatrix(rows: equationsPerChannel, columns: inputPlaces, elements: elements)
  }

  /// The observed weight gradient as right-hand sides of ``block(_:group:)``.
  ///
  /// - Parameters:
  ///   - weightGradient: `[taps, groupInputs, outputs]`.
  ///   - group: Whose inputs and outputs are taken.
  /// - Returns: `[taps · groupOutputs, groupInputs]`.
  package func rightSide(_ weightGradient: [Double], group: Int) -> DenseMatrix {
    var elements = Array(repeating: 0.0, count: equationsPerChannel * groupInputs)
    let (width, first) = (groupOutputs, group * groupOutputs)
    for tap in 0..<taps {
      for channel in 0..<groupInputs {
        let source = (tap * groupInputs + channel) * outputs + first
        let target = channel * equationsPerChannel + tap * width
        for output in 0..<width {
          elements[target + output] = weightGradient[source + output]
        }
      }
    }
    return DenseMatrix(rows: equationsPerChannel, columns: groupInputs, elements: elements)
  }
}
