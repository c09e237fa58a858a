internal import CHDF5

/// A name as the file stores it: any bytes but zero.
struct RawName {
  var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Copies a terminated string.
  // Safe: the caller hands a terminated string of the library.
  init(_ text: UnsafePointer<CChar>) {
    bytes = []
    var index = 0
    while unsafe text[index] != 0 {
      bytes.append(UInt8(bitPattern: unsafe text[index]))
      index += 1
    }
  }

  /// Lends the name to a call of the library.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    var text = bytes.map(CChar.init(bitPattern:))
    text.append(0)
    return unsafe text.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else {
        preconditionFailure("the array has a terminator")
      }
      return unsafe body(start)
    }
  }

  /// The names of an object's attributes, at most `limit`.
  ///
  /// The count in an object's header is not asked: a header can hold attributes without counting them.
  ///
  /// - Returns: the names, and whether the library could list them to the end.
  static func attributes(of object: hid_t, atMost limit: Int) -> (
    names: [RawName], isReadable: Bool
  ) {
    struct Visit {
      var names: [RawName] = []
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
          unsafe visit.pointee.names.append(RawName(name))
          return unsafe visit.pointee.names.count >= visit.pointee.limit ? 1 : 0
        }, context)
    }
    return (visit.names, status >= 0)
  }
}
