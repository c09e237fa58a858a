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

    public init(
      name: String?, source: String, layer: String, inputs: Tensor, labels: [Int],
      certificates: [Double], isProven: Bool
    ) {
      self.name = name
      self.source = source
      self.layer = layer
      self.inputs = inputs
      self.labels = labels
      self.certificates = certificates
      self.isProven = isProven
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
    // Safe, here and below: strings and arrays outlive the calls that read them.
    guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw RecoveredFileError(path: directory, detail: "the directory cannot be created")
    }
    H5Eset_auto2(0, nil, nil)
    guard
      let file = HDF5Handle(
        unsafe H5Fcreate(path, chdf5_truncate(), chdf5_default(), chdf5_default()),
        closedBy: H5Fclose)
    else { throw RecoveredFileError(path: path, detail: "the file cannot be created") }
    for group in groups {
      guard write(group, to: file.identifier) else {
        throw RecoveredFileError(path: path, detail: "a dataset cannot be written")
      }
    }
  }

  private static func write(_ group: Group, to file: hid_t) -> Bool {
    if let name = group.name {
      let created = unsafe H5Gcreate2(
        file, name, chdf5_default(), chdf5_default(), chdf5_default())
      guard let target = HDF5Handle(created, closedBy: H5Gclose) else { return false }
      return writeDatasets(group, to: target.identifier)
    }
    return writeDatasets(group, to: file)
  }

  private static func writeDatasets(_ group: Group, to target: hid_t) -> Bool {
    let double = chdf5_ieee_f64le()
    let integer = chdf5_int64le()
    return writeNumbers(
      "inputs", group.inputs.elements(), group.inputs.shape, double, chdf5_native_double(), target)
      && writeNumbers(
        "labels", group.labels.map(Int64.init), [group.labels.count], integer,
        chdf5_native_int64(), target)
      && writeNumbers(
        "certificate", group.certificates, [group.certificates.count], double,
        chdf5_native_double(), target)
      && writeNumbers(
        "proven", group.certificates.map { _ in Int64(group.isProven ? 1 : 0) },
        [group.certificates.count], integer, chdf5_native_int64(), target)
      && writeText("source", group.source, target) && writeText("layer", group.layer, target)
  }

  private static func writeNumbers<Number: BitwiseCopyable>(
    _ name: String, _ values: [Number], _ shape: [Int], _ stored: hid_t, _ memory: hid_t,
    _ target: hid_t
  ) -> Bool {
    let extents = shape.map { hsize_t($0) }
    guard
      let space = HDF5Handle(
        unsafe H5Screate_simple(Int32(extents.count), extents, nil), closedBy: H5Sclose),
      let creation = HDF5Handle(H5Pcreate(chdf5_dataset_create_class()), closedBy: H5Pclose),
      // A time stamp would make equal results differ.
      H5Pset_obj_track_times(creation.identifier, false) >= 0,
      let dataset = HDF5Handle(
        unsafe H5Dcreate2(
          target, name, stored, space.identifier, chdf5_default(), creation.identifier,
          chdf5_default()), closedBy: H5Dclose)
    else { return false }
    return unsafe H5Dwrite(
      dataset.identifier, memory, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(),
      values) >= 0
  }

  private static func writeText(_ name: String, _ text: String, _ target: hid_t) -> Bool {
    let bytes = Array(text.utf8)
    guard let space = HDF5Handle(H5Screate(H5S_SCALAR), closedBy: H5Sclose),
      let type = HDF5Handle(H5Tcopy(chdf5_c_string()), closedBy: H5Tclose),
      H5Tset_size(type.identifier, max(bytes.count, 1)) >= 0,
      H5Tset_cset(type.identifier, H5T_CSET_UTF8) >= 0,
      let attribute = HDF5Handle(
        unsafe H5Acreate2(
          target, name, type.identifier, space.identifier, chdf5_default(), chdf5_default()),
        closedBy: H5Aclose)
    else { return false }
    return unsafe H5Awrite(
      attribute.identifier, type.identifier, bytes.isEmpty ? [0] : bytes) >= 0
  }
}
