internal import LinearAlgebra

/// A kernel applied to maps.
extension KernelSite {
  /// The windows under the kernel: which entries of a map meet it at each output place.
  ///
  /// - Parameters:
  ///   - map: `[inputPlaces, channels]`.
  ///   - channels: How many channels the map has.
  ///   - range: The channels that are wanted.
  /// - Returns: `[taps · range, outputPlaces]`.
  func windows(_ map: [Double], channels: Int, _ range: Range<Int>) -> DenseMatrix {
    let width = taps * range.count
    var elements = Array(repeating: 0.0, count: width * outputPlaces)
    for (tap, sources) in places.enumerated() {
      for (place, source) in sources.enumerated() where source >= 0 {
        let (target, start) = (place * width + tap * range.count, source * channels)
        for channel in 0..<range.count {
          elements[target + channel] = map[start + range.lowerBound + channel]
        }
      }
    }
    return DenseMatrix(rows: width, columns: outputPlaces, elements: elements)
  }

  /// What single-channel maps become under the kernel, without bias, for every input channel of a
  /// group at once.
  ///
  /// - Parameters:
  ///   - direction: One map, `[inputPlaces]`.
  ///   - weight: `[taps, groupInputs, outputs]`.
  ///   - group: The group.
  /// - Returns: `[groupInputs · groupOutputs, outputPlaces]`, the outputs of one input channel side by
  ///   side.
  func responses(_ direction: [Double], _ weight: [Double], group: Int) -> DenseMatrix {
    let width = groupInputs * groupOutputs
    var kernel = Array(repeating: 0.0, count: width * taps)
    for tap in 0..<taps {
      for channel in 0..<groupInputs {
        let source = (tap * groupInputs + channel) * outputs + group * groupOutputs
        let target = tap * width + channel * groupOutputs
        for output in 0..<groupOutputs { kernel[target + output] = weight[source + output] }
      }
    }
    return DenseMatrix(rows: width, columns: taps, elements: kernel)
      * windows(direction, channels: 1, 0..<1)
  }

  /// What a map becomes under the kernel, without bias.
  ///
  /// - Shape: `[outputPlaces, outputs]`.
  package func response(_ map: [Double], _ weight: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: outputPlaces * outputs)
    for group in 0..<groups {
      let first = group * groupInputs
      let product =
        kernelMatrix(weight, group: group)
        * windows(map, channels: inputs, first..<first + groupInputs)
      for place in 0..<outputPlaces {
        let target = place * outputs + group * groupOutputs
        for output in 0..<groupOutputs {
          result[target + output] = product.elements[place * groupOutputs + output]
        }
      }
    }
    return result
  }

  /// The transpose of ``response(_:_:)``: what a cotangent of the output is at the map.
  ///
  /// - Shape: `[inputPlaces, inputs]`.
  package func transposedResponse(_ cotangent: [Double], _ weight: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: inputPlaces * inputs)
    for group in 0..<groups {
      var arriving: [Double] = []
      arriving.reserveCapacity(outputPlaces * groupOutputs)
      for place in 0..<outputPlaces {
        let start = place * outputs + group * groupOutputs
        arriving += cotangent[start..<start + groupOutputs]
      }
      let windows = kernelMatrix(weight, group: group).transposeTimes(
        DenseMatrix(rows: groupOutputs, columns: outputPlaces, elements: arriving))
      for (tap, sources) in places.enumerated() {
        for (place, source) in sources.enumerated() where source >= 0 {
          let start = place * windows.rows + tap * groupInputs
          let target = source * inputs + group * groupInputs
          for channel in 0..<groupInputs {
            result[target + channel] += windows.elements[start + channel]
          }
        }
      }
    }
    return result
  }

  /// - Shape: `[groupOutputs, taps · groupInputs]`.
  private func kernelMatrix(_ weight: [Double], group: Int) -> DenseMatrix {
    let columns = taps * groupInputs
    var kernel: [Double] = []
    kernel.reserveCapacity(columns * groupOutputs)
    for column in 0..<columns {
      let start = column * outputs + group * groupOutputs
      kernel += weight[start..<start + groupOutputs]
    }
    return DenseMatrix(rows: groupOutputs, columns: columns, elements: kernel)
  }
}
