/// Why an input could not be read, in words its owner can act on.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    case missing
    case notRegular(kind: String)
    case unopenable(detail: String)
    case empty
    case unrecognised(signature: String)
    case damaged(detail: String)
    case readerCrashed(detail: String)
    case readerTimedOut(seconds: Int)
    case overMemory(needed: Int, limit: Int)
    case archive(detail: String)
    case architecture(detail: String)
    case ambiguous(name: String, shape: [Int], candidates: [String])
    case unmatched(name: String, shape: [Int], nearest: String?)
    case nothingInside(detail: String)
    case severalSets(labels: [String])
  }

  public let reason: Reason
  /// The path as the user wrote it.
  public let file: String
  /// The object inside `file`, if the failure concerns one.
  public let object: String?

  public init(_ reason: Reason, file: String, object: String? = nil) {
    self.reason = reason
    self.file = file
    self.object = object
  }

  /// Place → what was found → what is needed → what to do.
  public var description: String {
    (object.map { "\(file):\($0)" } ?? file) + ": " + explanation
  }

  /// The description without its place.
  public var explanation: String {
    switch reason {
    case .missing:
      "no such file; a checkpoint, gradient or directory is needed. Check the path."
    case .notRegular(let kind):
      "this is \(kind); only regular files are read. Copy its content into a file first."
    case .unopenable(let detail):
      "it cannot be opened (\(detail)); a readable file is needed. Check its permissions."
    case .empty:
      "the file is empty; an HDF5 file or a .keras archive is needed. Export it again."
    case .unrecognised(let signature):
      """
      it starts with \(signature); an HDF5 file (89 48 44 46) or a .keras archive (50 4b 03 04) \
      is needed. Export it as described in Documentation/Exporting.md.
      """
    case .damaged(let detail):
      "it is damaged: \(detail); a complete HDF5 file is needed. Export or copy it again."
    case .readerCrashed(let detail):
      """
      reading stopped: \(detail); the file is damaged or hostile, and nothing of it was used. \
      Do not open it with other tools; export it again from its source.
      """
    case .readerTimedOut(let seconds):
      """
      reading took longer than \(seconds) s and was stopped; the file is damaged or hostile, and \
      nothing of it was used. Export it again from its source.
      """
    case .overMemory(let needed, let limit):
      """
      it declares \(needed.byteText); the ceiling is \(limit.byteText). If you trust the file, \
      raise --max-memory.
      """
    case .archive(let detail):
      """
      the archive cannot be used: \(detail); a .keras file as Keras writes it is needed (stored \
      members config.json and model.weights.h5). Save the model again with model.save().
      """
    case .architecture(let detail):
      """
      its architecture cannot be read: \(detail); a Keras model_config or the layout printed by \
      `leakaudit schema` is needed. Export the model again.
      """
    case .ambiguous(let name, let shape, let candidates):
      """
      '\(name)' of shape \(shape) fits \(candidates.joined(separator: ", ")); one candidate is \
      needed. Rename it as the model names the parameter.
      """
    case .unmatched(let name, let shape, let nearest):
      """
      '\(name)' of shape \(shape) fits no parameter of the model. \
      \(nearest.map { "Did you mean \($0)? " } ?? "")Check that both come from the same model.
      """
    case .nothingInside(let detail):
      """
      \(detail); parameters, gradients or optimiser state are needed. \
      `leakaudit inspect` shows what is inside.
      """
    case .severalSets(let labels):
      """
      it holds \(labels.count) sets of parameters (\(labels.prefix(4).joined(separator: ", "))); one \
      is needed. Write each set into a file of its own, and give two of them as --before and --after.
      """
    }
  }
}

extension Int {
  /// Bytes in binary units with one decimal.
  package var byteText: String {
    var (value, unit) = (Double(self), 0)
    while value >= 1024, unit < 4 {
      value /= 1024
      unit += 1
    }
    guard unit > 0 else { return "\(self) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(["B", "KiB", "MiB", "GiB", "TiB"][unit])"
  }
}
