internal import CHDF5

/// The name of one attribute of an object.
struct AttributeName {
  var bytes: [UInt8]

  /// Opens the attribute; `nil` if the library cannot.
  func open(in object: hid_t) -> HDF5Handle? {
    let text = bytes.map(CChar.init(bitPattern:)) + [0]
    // Safe: the name outlives the call.
    return HDF5Handle(unsafe H5Aopen(object, text, chdf5_default()), closedBy: H5Aclose)
  }

  /// The attributes of an object in name order, at most `limit`.
  ///
  /// They are listed, not counted: a header may hold attributes while its count says none, and
  /// whoever asks for one by name gets it.
  ///
  /// - Returns: the names, and whether the library could list them to the end.
  static func all(
    of object: hid_t, atMost limit: Int
  ) -> (names: [AttributeName], isReadable: Bool) {
    struct Visit {
      var names: [AttributeName] = []
      var limit: Int
    }
    var visit = Visit(limit: limit)
    var position: hsize_t = 0
    // Safe: the context outlives the iteration, and the name is copied inside the callback.
    let status = unsafe withUnsafeMutablePointer(to: &visit) { context in
      unsafe H5Aiterate2(
        object, H5_INDEX_NAME, H5_ITER_INC, &position,
        { _, name, _, context in
          guard let name = unsafe name, let context = unsafe context else { return -1 }
          let visit = unsafe context.assumingMemoryBound(to: Visit.self)
          var bytes: [UInt8] = []
          var index = 0
          while unsafe name[index] != 0 {
            bytes.append(UInt8(bitPattern: unsafe name[index]))
            index += 1
          }
          unsafe visit.pointee.names.append(AttributeName(bytes: bytes))
          return unsafe visit.pointee.names.count >= visit.pointee.limit ? 1 : 0
        }, context)
    }
    return (visit.names, status >= 0)
  }
}
