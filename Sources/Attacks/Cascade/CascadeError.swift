internal import Networks
internal import TensorIR

/// Why the cascade cannot go on; part of a report, not of a crash.
package struct CascadeStop: Error, Sendable, CustomStringConvertible {
  /// The node at which it stops, if it is at one.
  package var node: Int?
  package var description: String

  init(_ description: String, at node: Int? = nil) {
    self.node = node
    self.description = description
  }

  init(_ error: UnsupportedLayer) { self.init(error.description) }
  init(_ error: ParameterMismatch) { self.init(error.description) }
  init(_ error: BackendError) { self.init("the program cannot run: \(error.description)") }
}
