internal import CHDF5
internal import Synchronization

/// The library keeps global state without a lock of its own: one caller at a time.
enum HDF5Library {
  static let turn = Mutex<Void>(())
}

/// An HDF5 object that one value owns and closes exactly once.
///
/// HDF5 hands out integers; closing a copy twice would close somebody else's object.
struct HDF5Handle: ~Copyable {
  let identifier: hid_t
  private let close: @convention(c) (hid_t) -> herr_t

  /// Takes ownership of `identifier`; `nil` if HDF5 reported a failure (a negative value).
  init?(_ identifier: hid_t, closedBy close: @escaping @convention(c) (hid_t) -> herr_t) {
    guard identifier >= 0 else { return nil }
    self.identifier = identifier
    self.close = close
  }

  deinit { _ = close(identifier) }
}

extension String {
  /// Text from bytes of unknown encoding; bytes that are not UTF-8 become `\xHH`.
  package init(untrusted bytes: some Collection<UInt8>) {
    if let text = String(validating: bytes, as: UTF8.self) {
      self = text
      return
    }
    var text = ""
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
      if rest.count >= length, let scalar = String(validating: rest.prefix(length), as: UTF8.self) {
        text += scalar
        rest = rest.dropFirst(length)
      } else {
        text += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
        rest = rest.dropFirst()
      }
    }
    self = text
  }
}
