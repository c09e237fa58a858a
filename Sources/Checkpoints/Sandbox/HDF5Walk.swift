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

  let limits: ReadingLimits
  let imageCount: Int
  var catalogue = Catalogue()
  var pending: [Pending] = []
  private var visited: Set<haddr_t> = []
  private var objectCount = 0
  private var attributeBytes = 0
  var dataBytes = 0
  var isImagePlain = true

  init(limits: ReadingLimits, imageCount: Int) {
    self.limits = limits
    self.imageCount = imageCount
  }

  /// Walks the whole file and plans where its numbers go.
  mutating func list(_ file: hid_t) {
    isImagePlain = Self.userBlock(of: file) == 0
    // Safe: the literal outlives the call.
    guard let root = HDF5Handle(unsafe H5Oopen(file, "/", chdf5_default()), closedBy: H5Oclose)
    else {
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
    let (names, isReadable) = RawName.attributes(
      of: object, atMost: limits.attributesPerObject + 1)
    if !isReadable { omit(path, "its list of attributes is damaged") }
    if names.count > limits.attributesPerObject {
      omit(path, "only \(limits.attributesPerObject) of its attributes were read")
    }
    for name in names.prefix(limits.attributesPerObject) {
      let text = String(untrusted: name.bytes.prefix(limits.nameBytes))
      // Safe: the name outlives the call.
      let opened = unsafe name.withCString { unsafe H5Aopen(object, $0, chdf5_default()) }
      guard let attribute = HDF5Handle(opened, closedBy: H5Aclose) else {
        omit(path, "attribute '\(text)' cannot be opened; the file is damaged there")
        continue
      }
      attributeBytes += Int(clamping: H5Aget_storage_size(attribute.identifier))
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
