internal import CHDF5
internal import Tensors

/// Groups, datasets and attributes written with libhdf5; equal values give equal bytes.
///
/// Whoever calls it holds ``HDF5Library/turn``. What it writes comes from this program, so no child is
/// needed.
enum HDF5Writer {
  /// A new file, or `nil` if it cannot be made.
  static func file(_ path: String, mustBeNew: Bool = false) -> HDF5Handle? {
    H5Eset_auto2(0, nil, nil)
    let access = mustBeNew ? chdf5_exclusive() : chdf5_truncate()
    // Safe, here and below: strings and arrays outlive the calls that read them.
    return HDF5Handle(
      unsafe H5Fcreate(path, access, chdf5_default(), chdf5_default()), closedBy: H5Fclose)
  }

  static func group(_ name: String, in target: hid_t) -> HDF5Handle? {
    HDF5Handle(
      unsafe H5Gcreate2(target, name, chdf5_default(), chdf5_default(), chdf5_default()),
      closedBy: H5Gclose)
  }

  /// Writes numbers, rounded to a format; groups in front of the name are made.
  static func numbers(
    _ name: String, _ values: [Double], _ shape: [Int], as kind: ElementKind, in target: hid_t
  ) -> Bool {
    guard let type = floatType(kind) else { return false }
    return dataset(name, kind.bytes(of: values), shape, type.identifier, in: target)
  }

  /// Writes whole numbers.
  static func integers(_ name: String, _ values: [Int], in target: hid_t) -> Bool {
    dataset(
      name, values.map { Int64($0).littleEndian }, [values.count], chdf5_int64le(), in: target)
  }

  /// Writes numbers whose bytes lie in the order of `type`, in the file as in memory.
  private static func dataset<Number: BitwiseCopyable>(
    _ name: String, _ bytes: [Number], _ shape: [Int], _ type: hid_t, in target: hid_t
  ) -> Bool {
    let extents = shape.map { hsize_t($0) }
    guard
      let space = HDF5Handle(
        unsafe H5Screate_simple(Int32(extents.count), extents, nil), closedBy: H5Sclose),
      let linking = HDF5Handle(H5Pcreate(chdf5_link_create_class()), closedBy: H5Pclose),
      H5Pset_create_intermediate_group(linking.identifier, 1) >= 0,
      let creation = HDF5Handle(H5Pcreate(chdf5_dataset_create_class()), closedBy: H5Pclose),
      // A time stamp would make equal results differ.
      H5Pset_obj_track_times(creation.identifier, false) >= 0,
      let dataset = HDF5Handle(
        unsafe H5Dcreate2(
          target, name, type, space.identifier, linking.identifier, creation.identifier,
          chdf5_default()), closedBy: H5Dclose)
    else { return false }
    return unsafe H5Dwrite(
      dataset.identifier, type, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), bytes)
      >= 0
  }
}

// MARK: - Attributes

extension HDF5Writer {
  static func attribute(_ name: String, _ text: String, of target: hid_t) -> Bool {
    let bytes = Array(text.utf8)
    guard let type = HDF5Handle(H5Tcopy(chdf5_c_string()), closedBy: H5Tclose),
      H5Tset_size(type.identifier, max(bytes.count, 1)) >= 0,
      H5Tset_cset(type.identifier, H5T_CSET_UTF8) >= 0
    else { return false }
    return attribute(name, bytes.isEmpty ? [0] : bytes, type.identifier, of: target)
  }

  static func attribute(_ name: String, _ number: Int, of target: hid_t) -> Bool {
    attribute(name, [Int64(number).littleEndian], chdf5_int64le(), of: target)
  }

  static func attribute(_ name: String, _ number: Double, of target: hid_t) -> Bool {
    attribute(name, ElementKind.float64.bytes(of: [number]), chdf5_ieee_f64le(), of: target)
  }

  /// A list of numbers.
  static func attribute(_ name: String, _ numbers: [Double], of target: hid_t) -> Bool {
    guard
      let space = HDF5Handle(
        unsafe H5Screate_simple(1, [hsize_t(numbers.count)], nil), closedBy: H5Sclose)
    else { return false }
    return attribute(
      name, ElementKind.float64.bytes(of: numbers), chdf5_ieee_f64le(), in: space, of: target)
  }

  private static func attribute<Number: BitwiseCopyable>(
    _ name: String, _ bytes: [Number], _ type: hid_t, of target: hid_t
  ) -> Bool {
    guard let space = HDF5Handle(H5Screate(H5S_SCALAR), closedBy: H5Sclose) else { return false }
    return attribute(name, bytes, type, in: space, of: target)
  }

  private static func attribute<Number: BitwiseCopyable>(
    _ name: String, _ bytes: [Number], _ type: hid_t, in space: borrowing HDF5Handle,
    of target: hid_t
  ) -> Bool {
    guard
      let attribute = HDF5Handle(
        unsafe H5Acreate2(
          target, name, type, space.identifier, chdf5_default(), chdf5_default()),
        closedBy: H5Aclose)
    else { return false }
    return unsafe H5Awrite(attribute.identifier, type, bytes) >= 0
  }
}

// MARK: - Types

extension HDF5Writer {
  /// The type of a format in the file, the least significant byte first.
  private static func floatType(_ kind: ElementKind) -> HDF5Handle? {
    switch kind {
    case .float64: HDF5Handle(H5Tcopy(chdf5_ieee_f64le()), closedBy: H5Tclose)
    case .float32: HDF5Handle(H5Tcopy(chdf5_ieee_f32le()), closedBy: H5Tclose)
    case .float16: shortFloatType(exponentBits: 5, fractionBits: 10, bias: 15)
    case .bfloat16: shortFloatType(exponentBits: 8, fractionBits: 7, bias: 127)
    }
  }

  /// Two bytes: sign, exponent, fraction, from the most significant bit.
  private static func shortFloatType(
    exponentBits: Int, fractionBits: Int, bias: Int
  ) -> HDF5Handle? {
    guard let type = HDF5Handle(H5Tcopy(chdf5_ieee_f32le()), closedBy: H5Tclose),
      H5Tset_fields(type.identifier, 15, fractionBits, exponentBits, 0, fractionBits) >= 0,
      H5Tset_size(type.identifier, 2) >= 0, H5Tset_ebias(type.identifier, bias) >= 0
    else { return nil }
    return type
  }
}
