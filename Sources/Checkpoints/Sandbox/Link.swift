internal import CHDF5

/// One entry of a group.
struct Link {
  enum Kind {
    case hard, soft, userDefined
    /// The file and object it points to.
    case external(String)
  }

  var name: [UInt8]
  var kind: Kind

  /// Lends the name to a call of the library.
  func withCName<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    // Safe: the closure is handed on as it came.
    unsafe RawName(bytes: name).withCString(body)
  }

  /// The links of a group in name order, at most `limit`.
  ///
  /// - Returns: the links, and whether the library could list the group to its end; a damaged group
  ///   still shows the links that come before the damage.
  static func all(in group: hid_t, atMost limit: Int) -> (links: [Link], isReadable: Bool) {
    struct Visit {
      var names: [(name: [UInt8], type: H5L_type_t)] = []
      var limit: Int
    }
    var visit = Visit(limit: limit)
    var position: hsize_t = 0
    // Safe: the context outlives the iteration, and the name is copied inside the callback.
    let status = unsafe withUnsafeMutablePointer(to: &visit) { context in
      unsafe chdf5_iterate_links(
        group, &position,
        { _, name, info, context in
          guard let name = unsafe name, let info = unsafe info, let context = unsafe context
          else { return -1 }
          let visit = unsafe context.assumingMemoryBound(to: Visit.self)
          unsafe visit.pointee.names.append((RawName(name).bytes, info.pointee.type))
          return unsafe visit.pointee.names.count >= visit.pointee.limit ? 1 : 0
        }, context)
    }
    let links = visit.names.map { name, type in
      var link = Link(name: name, kind: .hard)
      link.kind =
        switch type {
        case H5L_TYPE_HARD: .hard
        case H5L_TYPE_SOFT: .soft
        case H5L_TYPE_EXTERNAL: .external(link.externalTarget(in: group))
        default: .userDefined
        }
      return link
    }
    return (links, status >= 0)
  }

  private func externalTarget(in group: hid_t) -> String {
    var value = [UInt8](repeating: 0, count: 4_096)
    // Safe: the buffer has room for the stated number of bytes.
    let status = unsafe withCName {
      unsafe H5Lget_val(group, $0, &value, value.count, chdf5_default())
    }
    guard status >= 0 else { return "" }
    // One byte of flags, then the file and the object, both terminated.
    let parts = value.dropFirst().split(
      separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    return parts.prefix(2).map { String(untrusted: $0) }.joined(separator: ":")
  }
}
