internal import CHDF5
internal import Tensors

/// Lists and decodes an HDF5 image; runs inside the reading child.
///
/// The walk is our own: it follows hard links only, visits each group once, and stops at the limits.
/// Nothing outside the image is opened: there is no file driver, plug-ins are off, and links,
/// storage or mappings that point elsewhere are recorded and left alone.
struct HDF5Walk {
  /// A dataset whose numbers must be decoded into shared memory.
  struct Pending {
    var path: String
    var address: haddr_t
    var decoding: NumberDecoding
    var shape: [Int]
    var offset: Int
  }

  private let limits: ReadingLimits
  private let imageCount: Int
  private(set) var catalogue = Catalogue()
  private(set) var pending: [Pending] = []
  private var visited: Set<haddr_t> = []
  private var objectCount = 0
  private var attributeBytes = 0
  private var dataBytes = 0
  private var isImagePlain = true

  init(limits: ReadingLimits, imageCount: Int) {
    self.limits = limits
    self.imageCount = imageCount
  }

  /// Walks the whole file and plans where its numbers go.
  mutating func list(_ file: hid_t) {
    isImagePlain = Self.userBlock(of: file) == 0
    // Safe: the literal outlives the call.
    guard let root = HDF5Handle(unsafe H5Oopen(file, "/", chdf5_default()), closedBy: H5Oclose) else {
      catalogue.omissions.append(.init(path: "", reason: "the root group cannot be opened"))
      return
    }
    group(root.identifier, path: "", depth: 0)
  }

  private static func userBlock(of file: hid_t) -> UInt64 {
    guard let creation = HDF5Handle(H5Fget_create_plist(file), closedBy: H5Pclose) else { return 1 }
    var size: hsize_t = 1
    // Safe: the result outlives the call.
    return unsafe H5Pget_userblock(creation.identifier, &size) >= 0 ? size : 1
  }

  private mutating func omit(_ path: String, _ reason: String) {
    catalogue.omissions.append(.init(path: path, reason: reason))
  }

  private mutating func group(_ group: hid_t, path: String, depth: Int) {
    catalogue.groups.append(path)
    attributes(of: group, path: path)
    guard depth < limits.depth else {
      omit(path, "groups are nested deeper than \(limits.depth)")
      return
    }
    let (links, isReadable) = Link.all(in: group, atMost: limits.objects - objectCount + 1)
    if !isReadable { omit(path, "its list of members is damaged") }
    for link in links {
      objectCount += 1
      guard objectCount <= limits.objects else {
        omit(path, "the file has more than \(limits.objects) objects")
        return
      }
      let name = String(untrusted: link.name)
      let place = path.isEmpty ? name : path + "/" + name
      guard link.name.count <= limits.nameBytes else {
        omit(String(place.prefix(80)) + "…", "its name is longer than \(limits.nameBytes) bytes")
        continue
      }
      visit(link, in: group, place: place, depth: depth)
    }
  }

  private mutating func visit(_ link: Link, in group: hid_t, place: String, depth: Int) {
    switch link.kind {
    case .hard: object(link, in: group, place: place, depth: depth)
    case .soft: omit(place, "a soft link; links are not followed")
    case .external(let target):
      catalogue.hazards.append(.init(kind: .externalLink, path: place, target: target))
    case .userDefined:
      catalogue.hazards.append(.init(kind: .userDefinedLink, path: place, target: ""))
    }
  }

  private mutating func object(_ link: Link, in group: hid_t, place: String, depth: Int) {
    // Safe: the name outlives the call.
    let opened = unsafe link.withCName { unsafe H5Oopen(group, $0, chdf5_default()) }
    guard let object = HDF5Handle(opened, closedBy: H5Oclose) else {
      omit(place, "it cannot be opened; the file is damaged there")
      return
    }
    var info = H5O_info_t()
    // Safe: the result outlives the call.
    guard unsafe chdf5_object_info(object.identifier, &info) >= 0 else {
      omit(place, "its header cannot be read; the file is damaged there")
      return
    }
    switch info.type {
    case H5O_TYPE_GROUP:
      guard visited.insert(info.addr).inserted else {
        omit(place, "a second link to a group that was already visited")
        return
      }
      self.group(object.identifier, path: place, depth: depth + 1)
    case H5O_TYPE_DATASET:
      attributes(of: object.identifier, path: place)
      catalogue.datasets[place] = dataset(object.identifier, path: place, address: info.addr)
    case H5O_TYPE_NAMED_DATATYPE: break
    default: omit(place, "an object of an unknown kind")
    }
  }

  private mutating func attributes(of object: hid_t, path: String) {
    let limit = limits.attributesPerObject
    let (names, isReadable) = AttributeName.all(of: object, atMost: limit + 1)
    if !isReadable { omit(path, "its list of attributes is damaged") }
    if names.count > limit { omit(path, "only \(limit) of its attributes were read") }
    for name in names.prefix(limit) {
      let text = String(untrusted: name.bytes.prefix(limits.nameBytes))
      guard let attribute = name.open(in: object) else {
        omit(path, "attribute '\(text)' cannot be opened; the file is damaged there")
        continue
      }
      let size = Int(clamping: H5Aget_storage_size(attribute.identifier))
      attributeBytes += size
      guard attributeBytes <= limits.totalAttributeBytes else {
        omit(path, "the attributes exceed \(limits.totalAttributeBytes.byteText)")
        return
      }
      let value = Container.Attribute(
        reading: attribute.identifier, limit: limits.attributeBytes)
      if case .unsupported(let reason) = value {
        omit(path, "attribute '\(text)' was not read: \(reason)")
      }
      catalogue.attributes[path, default: [:]][text] = value
    }
  }
}

// MARK: - Datasets

extension HDF5Walk {
  private mutating func dataset(
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

// MARK: - Decoding

extension HDF5Walk {
  /// Decodes every pending dataset into `shared`.
  ///
  /// - Precondition: `shared` has room for `catalogue.sharedCount` bytes.
  mutating func decode(_ file: hid_t, into shared: UnsafeMutableRawBufferPointer) {
    for item in pending {
      guard let start = shared.baseAddress, !item.shape.contains(0) else { continue }
      // Safe: the plan gave every dataset its own range inside the shared memory.
      let status = unsafe Self.decode(item, file, into: start + item.offset)
      if status < 0, case .numbers(var numbers) = catalogue.datasets[item.path] {
        numbers.failure = "its values cannot be decoded; the file is damaged there"
        catalogue.datasets[item.path] = .numbers(numbers)
      }
    }
  }

  // Safe: `target` has room for the whole dataset in its decoded form.
  private static func decode(
    _ item: Pending, _ file: hid_t, into target: UnsafeMutableRawPointer
  ) -> herr_t {
    let opened = H5Oopen_by_addr(file, item.address)
    guard let dataset = HDF5Handle(opened, closedBy: H5Oclose),
      let stored = HDF5Handle(H5Dget_type(dataset.identifier), closedBy: H5Tclose),
      let memory = HDF5Handle(H5Tcopy(stored.identifier), closedBy: H5Tclose)
    else { return -1 }
    let type: hid_t
    switch item.decoding {
    case .float:
      guard H5Tset_order(memory.identifier, H5T_ORDER_LE) >= 0 else { return -1 }
      type = memory.identifier
    case .brainFloatBits:
      let isOpaque = H5Tget_class(stored.identifier) == H5T_OPAQUE
      type = isOpaque ? stored.identifier : chdf5_native_ushort()
    case .wideFloat, .integer: type = chdf5_native_double()
    case .refused: return -1
    }
    return unsafe H5Dread(
      dataset.identifier, type, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), target)
  }
}

extension [Int] {
  /// The product of the extents and `factor`, or `nil` if it overflows.
  func checkedProduct(times factor: Int) -> Int? {
    var product = factor
    for extent in self {
      let (next, overflows) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflows else { return nil }
      product = next
    }
    return product
  }
}

extension [CChar] {
  fileprivate func text(_ limit: Int) -> String {
    String(untrusted: prefix(limit).prefix { $0 != 0 }.map(UInt8.init(bitPattern:)))
  }
}
