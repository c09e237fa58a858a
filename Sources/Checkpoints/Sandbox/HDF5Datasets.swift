internal import CHDF5
internal import Glibc
internal import Tensors

/// Plans where each dataset's numbers come from, or says why they are not read.
extension HDF5Walk {
  mutating func dataset(
    _ dataset: hid_t, path: String, address: haddr_t
  ) -> Catalogue.Dataset {
    guard let type = HDF5Handle(H5Dget_type(dataset), closedBy: H5Tclose),
      let space = HDF5Handle(H5Dget_space(dataset), closedBy: H5Sclose),
      let creation = HDF5Handle(H5Dget_create_plist(dataset), closedBy: H5Pclose)
    else { return .refused(shape: [], reason: "its header cannot be read") }
    guard let shape = Self.shape(of: space.identifier) else {
      return .refused(shape: [], reason: "it has no extent that fits into memory")
    }
    if let hazard = Self.hazard(of: creation.identifier, path: path) {
      catalogue.hazards.append(hazard)
      return .refused(shape: shape, reason: "its values lie in another file")
    }
    if H5Tget_class(type.identifier) == H5T_STRING {
      return text(dataset, type: type.identifier, space: space.identifier, shape: shape)
    }
    var declared: String?
    if case .text(let names, _) = catalogue.attributes[path]?["dtype"] { declared = names.first }
    let decoding = NumberDecoding(of: type.identifier, declaredType: declared)
    if case .refused(let reason) = decoding {
      return .refused(shape: shape, reason: "it holds \(reason), which carry no weights")
    }
    guard let kind = decoding.kind,
      let size = shape.checkedProduct(times: kind.byteCount)
    else { return .refused(shape: shape, reason: "its declared size overflows") }
    return numbers(
      dataset, creation: creation.identifier, path: path, address: address, decoding: decoding,
      kind: kind, shape: shape, size: size)
  }

  private mutating func numbers(
    _ dataset: hid_t, creation: hid_t, path: String, address: haddr_t, decoding: NumberDecoding,
    kind: ElementKind, shape: [Int], size: Int
  ) -> Catalogue.Dataset {
    guard size <= limits.dataBytes - dataBytes else {
      return .refused(
        shape: shape,
        reason: "it declares \(size.byteText); with it the file exceeds the ceiling of "
          + "\(limits.dataBytes.byteText) (--max-memory)")
    }
    if let reason = Self.unavailableFilter(in: creation) {
      return .refused(shape: shape, reason: reason)
    }
    let stored = Int(clamping: H5Dget_storage_size(dataset))
    if size > limits.expansionFloor, stored < size / limits.expansion {
      return .refused(
        shape: shape,
        reason: "\(stored.byteText) in the file expand to \(size.byteText), as in a "
          + "decompression bomb")
    }
    let isInteger = if case .integer = decoding { true } else { false }
    dataBytes += size
    if case .float(_, isNative: true) = decoding,
      let offset = plainOffset(dataset, creation, size)
    {
      return .numbers(
        .init(shape: shape, kind: kind, location: .file(offset), isInteger: isInteger))
    }
    let offset = (catalogue.sharedCount + 63) & ~63
    catalogue.sharedCount = offset + size
    pending.append(
      Pending(path: path, address: address, decoding: decoding, shape: shape, offset: offset))
    return .numbers(
      .init(shape: shape, kind: kind, location: .shared(offset), isInteger: isInteger))
  }

  /// The byte of the image at which an unfiltered, contiguous dataset starts.
  private func plainOffset(_ dataset: hid_t, _ creation: hid_t, _ size: Int) -> Int? {
    guard isImagePlain, H5Pget_layout(creation) == H5D_CONTIGUOUS else { return nil }
    let address = H5Dget_offset(dataset)
    guard address != chdf5_undefined_address(), let offset = Int(exactly: address),
      offset <= imageCount, size <= imageCount - offset
    else { return nil }
    return offset
  }

  private func text(
    _ dataset: hid_t, type: hid_t, space: hid_t, shape: [Int]
  ) -> Catalogue.Dataset {
    guard let bytes = shape.checkedProduct(times: max(H5Tget_size(type), 8)),
      bytes <= limits.attributeBytes
    else { return .refused(shape: shape, reason: "its text is too long") }
    let count = shape.reduce(1, *)
    let texts = unsafe Texts.read(count: count, type: type, space: space) {
      // Safe: the buffer holds `count` elements of the dataset's own type.
      unsafe H5Dread(
        dataset, $0, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), $1)
    }
    return texts.map { .text($0) } ?? .refused(shape: shape, reason: "its text cannot be read")
  }

  private static func shape(of space: hid_t) -> [Int]? {
    guard H5Sget_simple_extent_type(space) != H5S_NULL else { return nil }
    let rank = Int(H5Sget_simple_extent_ndims(space))
    guard rank >= 0 else { return nil }
    var extents = [hsize_t](repeating: 0, count: max(rank, 1))
    // Safe: the array has room for `rank` extents.
    guard unsafe H5Sget_simple_extent_dims(space, &extents, nil) >= 0 else { return nil }
    let shape = extents.prefix(rank).compactMap { Int(exactly: $0) }
    return shape.count == rank ? shape : nil
  }

  private static func hazard(of creation: hid_t, path: String) -> Container.Hazard? {
    if H5Pget_layout(creation) == H5D_VIRTUAL {
      var name = [CChar](repeating: 0, count: 1_025)
      // Safe: the buffer has room for the stated number of bytes.
      let length = unsafe H5Pget_virtual_filename(creation, 0, &name, 1_024)
      return .init(kind: .virtualDataset, path: path, target: name.text(max(0, length)))
    }
    guard H5Pget_external_count(creation) > 0 else { return nil }
    var name = [CChar](repeating: 0, count: 1_025)
    var offset: off_t = 0
    var size: hsize_t = 0
    // Safe: the results outlive the call, and the name has room for the stated bytes.
    _ = unsafe H5Pget_external(creation, 0, 1_024, &name, &offset, &size)
    return .init(kind: .externalStorage, path: path, target: name.text(1_024))
  }

  private static func unavailableFilter(in creation: hid_t) -> String? {
    for index in 0..<max(0, H5Pget_nfilters(creation)) {
      var flags: UInt32 = 0
      var count = 0
      // Safe: the results outlive the call, and no values or name are asked for.
      let filter = unsafe H5Pget_filter2(
        creation, UInt32(index), &flags, &count, nil, 0, nil, nil)
      guard filter >= 0 else { return "its filters cannot be read" }
      guard filter >= 256 || H5Zfilter_avail(filter) <= 0 else { continue }
      let name = [32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32013: "ZFP", 32015: "Zstandard"]
      return "it is compressed with \(name[Int(filter)] ?? "filter \(filter)"), which needs a "
        + "plug-in; plug-ins are never loaded. Save it with gzip or uncompressed"
    }
    return nil
  }
}

extension [CChar] {
  fileprivate func text(_ limit: Int) -> String {
    String(untrusted: prefix(limit).prefix { $0 != 0 }.map(UInt8.init(bitPattern:)))
  }
}
