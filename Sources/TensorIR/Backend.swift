/// The precision in which a program runs.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  case single, double
}

/// Something that runs graphs: compiled once, run many times.
public protocol Backend: Sendable {
  associatedtype Program: CompiledProgram

  /// - Throws: ``BackendError`` if the graph cannot run here.
  func compile(_ graph: Graph, in precision: Precision) throws(BackendError) -> Program
}

/// A graph made ready to run.
///
/// A program belongs to one thread at a time; several programs run side by side.
public protocol CompiledProgram: AnyObject {
  /// Binds the elements of an input, in row-major order, until they are bound again.
  ///
  /// - Precondition: The graph has that input, with that many elements.
  func bind(_ elements: [Double], to input: String)

  /// Computes every output from the bound inputs, then hands carried outputs to their inputs.
  func run() throws(BackendError)

  /// The elements of an output of the last run, in row-major order.
  ///
  /// - Precondition: The graph has that output, and the program has run.
  func elements(of output: String) -> [Double]

  /// The only element of a scalar output of the last run.
  ///
  /// - Precondition: The graph has that output, and the program has run.
  func scalar(of output: String) -> Double

  /// Adds a multiple of an output of the last run to numbers in its order, in double precision.
  ///
  /// - Precondition: The graph has that output, the program has run, and there are as many numbers.
  func add(_ factor: Double, times output: String, to total: inout [Double])
}

extension CompiledProgram {
  public func scalar(of output: String) -> Double { elements(of: output)[0] }

  public func add(_ factor: Double, times output: String, to total: inout [Double]) {
    let elements = elements(of: output)
    precondition(elements.count == total.count, "'\(output)' has \(elements.count) elements")
    for place in total.indices { total[place] += factor * elements[place] }
  }
}

/// Why a graph cannot run.
public struct BackendError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
