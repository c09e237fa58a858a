/// What a client computes on its samples before it sends anything.
package struct ClientTraining: Hashable, Sendable {
  /// Samples in a step; `nil` is all of them.
  ///
  /// The last batch of a pass over the samples may be smaller.
  package var batchSize: Int?
  /// How long the client trains.
  package var length: Length = .gradient
  /// The largest Euclidean norm, over all parameters at once, that the gradient of one sample keeps;
  /// `nil` leaves gradients as they are.
  ///
  /// Each sample's gradient `g` becomes `g · min(1, C / ‖g‖)` before a step takes their mean.
  ///
  /// - Source: Abadi et al., *Deep Learning with Differential Privacy*, CCS 2016, algorithm 1.
  package var clippingNorm: Double?

  /// How long a client trains.
  package enum Length: Hashable, Sendable {
    /// Not at all: it sends the gradient at the weights it was given.
    case gradient
    /// It takes steps of stochastic gradient descent without momentum, over the batches in turn, and
    /// sends how far its weights moved.
    case steps(Int, learningRate: Double)
    /// The same for so many passes over all samples.
    case epochs(Int, learningRate: Double)
  }

  package init() {}

  /// The samples of each step, in the order in which they are stated.
  ///
  /// - Precondition: There is a sample, and batches have one.
  package func batches(of samples: Int) -> [Range<Int>] {
    let size = min(batchSize ?? samples, samples)
    precondition(size > 0, "a batch has a sample")
    let pass = stride(from: 0, to: samples, by: size).map { $0..<min($0 + size, samples) }
    switch length {
    case .gradient: return [0..<samples]
    case .steps(let count, _): return (0..<count).map { pass[$0 % pass.count] }
    case .epochs(let count, _): return (0..<count).flatMap { _ in pass }
    }
  }

  /// The rate of every step; `nil` if none is taken.
  package var learningRate: Double? {
    switch length {
    case .gradient: nil
    case .steps(_, let rate), .epochs(_, let rate): rate
    }
  }
}
