internal import CHDF5
internal import Glibc
internal import Synchronization
public import Tensors

/// Why the file with recovered samples could not be written.
public struct RecoveredFileError: Error, Hashable, CustomStringConvertible {
  public let path: String
  public let detail: String

  public var description: String {
    "\(path): \(detail); a writable directory is needed. Choose another --save-recovered."
  }
}

/// Writes recovered samples as HDF5; equal samples give equal bytes.
public enum RecoveredFile {
  /// The samples of one source.
  public struct Group: Sendable {
    /// The group in the file; `nil` is the root.
    public var name: String?
    public var source: String
    public var layer: String
    /// Shape `[samples, …]`, in the model's own input axes.
    public var inputs: Tensor
    /// One class per sample; −1 where it is unknown.
    public var labels: [Int]
    /// Relative error of the re-simulated gradient, one per sample.
    public var certificates: [Double]
    public var isProven: Bool
    /// The attack.
    public var method: String
    /// With ``inputDeviation``, what makes pictures of inputs: `value · deviation + mean`, one number
    /// per channel or one for all.
    public var inputMean: [Double]?
    public var inputDeviation: [Double]?

    public init(
      name: String?, source: String, layer: String, inputs: Tensor, labels: [Int],
      certificates: [Double], isProven: Bool, method: String, inputMean: [Double]? = nil,
      inputDeviation: [Double]? = nil
    ) {
      self.name = name
      self.source = source
      self.layer = layer
      self.inputs = inputs
      self.labels = labels
      self.certificates = certificates
      self.isProven = isProven
      self.method = method
      self.inputMean = inputMean
      self.inputDeviation = inputDeviation
    }
  }

  /// Writes `directory/recovered.h5`, creating the directory if it is missing.
  public static func write(
    _ groups: [Group], in directory: String
  ) throws(RecoveredFileError) {
    try HDF5Library.turn.withLock { _ throws(RecoveredFileError) in
      try writeInTurn(groups, in: directory)
    }
  }

  private static func writeInTurn(
    _ groups: [Group], in directory: String
  ) throws(RecoveredFileError) {
    let path = directory + "/recovered.h5"
    // Safe: the string outlives the call.
    guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw RecoveredFileError(path: directory, detail: "the directory cannot be created")
    }
    guard let file = HDF5Writer.file(path) else {
      throw RecoveredFileError(path: path, detail: "the file cannot be created")
    }
    for group in groups {
      guard write(group, to: file.identifier) else {
        throw RecoveredFileError(path: path, detail: "a dataset cannot be written")
      }
    }
  }

  private static func write(_ group: Group, to file: hid_t) -> Bool {
    guard let name = group.name else { return writeDatasets(group, to: file) }
    guard let target = HDF5Writer.group(name, in: file) else { return false }
    return writeDatasets(group, to: target.identifier)
  }

  private static func writeDatasets(_ group: Group, to target: hid_t) -> Bool {
    HDF5Writer.numbers(
      "inputs", group.inputs.elements(), group.inputs.shape, as: .float64, in: target)
      && HDF5Writer.integers("labels", group.labels, in: target)
      && HDF5Writer.numbers(
        "certificate", group.certificates, [group.certificates.count], as: .float64, in: target)
      && HDF5Writer.integers(
        "proven", group.certificates.map { _ in group.isProven ? 1 : 0 }, in: target)
      && HDF5Writer.attribute("source", group.source, of: target)
      && HDF5Writer.attribute("layer", group.layer, of: target)
      && HDF5Writer.attribute("method", group.method, of: target)
      && HDF5Writer.attribute("input_units", "model input", of: target)
      && attribute("input_mean", group.inputMean, of: target)
      && attribute("input_std", group.inputDeviation, of: target)
  }

  private static func attribute(_ name: String, _ numbers: [Double]?, of target: hid_t) -> Bool {
    numbers.map { HDF5Writer.attribute(name, $0, of: target) } ?? true
  }
}
