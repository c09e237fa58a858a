internal import Networks
package import Tensors

/// The samples of one client.
package struct ClientData: Sendable {
  /// In input units.
  ///
  /// - Shape: `[samples, …]`, in the axes that the model declares.
  package let inputs: Tensor
  /// The class of each sample.
  package let labels: [Int]

  /// - Throws: ``SimulationError`` if there is no sample, a number is not finite, or there is not one
  ///   label, a whole number from 0, for each sample.
  package init(inputs: Tensor, labels: [Double]) throws(SimulationError) {
    guard let samples = inputs.shape.first, samples > 0 else {
      throw SimulationError(.samples(shape: inputs.shape))
    }
    guard labels.count == samples else {
      throw SimulationError(.labelCount(labels.count, samples: samples))
    }
    var classes: [Int] = []
    for (sample, label) in labels.enumerated() {
      guard let number = Int(exactly: label), number >= 0 else {
        throw SimulationError(.label(label, sample: sample, classes: nil))
      }
      classes.append(number)
    }
    for sample in 0..<samples {
      let values = inputs.slice(sample).elements()
      if let place = values.firstIndex(where: { !$0.isFinite }) {
        throw SimulationError(.input(values[place], sample: sample))
      }
    }
    self.inputs = inputs
    self.labels = classes
  }

  /// Number of samples.
  package var count: Int { labels.count }

  /// The numbers of some samples, row-major.
  func elements(_ samples: Range<Int>) -> [Double] {
    let width = inputs.count / count
    return inputs.elements(in: samples.lowerBound * width..<samples.upperBound * width)
  }
}
