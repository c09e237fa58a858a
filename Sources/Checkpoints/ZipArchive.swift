/// The directory of a ZIP file, read from memory without extracting anything.
///
/// Only stored members can be used; every number is checked against the file's real size, and the
/// local header of a member must agree with the directory. Source: PKWARE APPNOTE 6.3, §4.3.
@safe package struct ZipArchive {
  package struct Member: Hashable {
    package var name: String
    /// Where the stored bytes lie in the file.
    package var range: Range<Int>
  }

  private let bytes: UnsafeRawBufferPointer
  package private(set) var members: [Member] = []

  package static let memberLimit = 10_000

  /// Why an archive cannot be used.
  package struct Failure: Error { package var detail: String }

  /// - Parameter bytes: the whole file; must outlive the value.
  // Safe: all reads go through `number(at:bytes:)`, which checks the range.
  package init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    unsafe self.bytes = bytes
    let end = try endOfDirectory()
    let count = try number(at: end + 10, bytes: 2)
    let start = try number(at: end + 16, bytes: 4)
    let size = try number(at: end + 12, bytes: 4)
    guard count != 0xffff, start != 0xffff_ffff else {
      throw Failure(detail: "ZIP64 directories are not used by Keras and not read")
    }
    guard try number(at: end + 4, bytes: 4) == 0 else {
      throw Failure(detail: "it is one part of several")
    }
    guard start + size <= end, count <= Self.memberLimit else {
      throw Failure(detail: "its directory lies outside the file")
    }
    var position = start
    for _ in 0..<count { try readEntry(at: &position, limit: start + size) }
    let names = members.map(\.name)
    guard Set(names).count == names.count else {
      throw Failure(detail: "two members have the same name")
    }
    let ordered = members.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(ordered, ordered.dropFirst()) where left.overlaps(right) {
      throw Failure(detail: "its members overlap")
    }
  }

  package func member(_ name: String) -> Member? { members.first { $0.name == name } }

  private func number(at position: Int, bytes count: Int) throws(Failure) -> Int {
    // Safe: only the number of bytes is read.
    guard position >= 0, unsafe position + count <= bytes.count else {
      throw Failure(detail: "it ends too early")
    }
    return (0..<count).reduce(0) { total, index in
      // Safe: the range was checked.
      unsafe total | Int(bytes[position + index]) << (8 * index)
    }
  }

  /// The last end-of-directory record; a comment of up to 64 KiB may follow it.
  private func endOfDirectory() throws(Failure) -> Int {
    // Safe: only the number of bytes is read.
    let total = unsafe bytes.count
    var position = total - 22
    while position >= max(0, total - 22 - 0xffff) {
      if try number(at: position, bytes: 4) == 0x0605_4b50,
        try number(at: position + 20, bytes: 2) == total - position - 22
      {
        return position
      }
      position -= 1
    }
    throw Failure(detail: "it has no directory; it is truncated")
  }

  private mutating func readEntry(at position: inout Int, limit: Int) throws(Failure) {
    guard position + 46 <= limit, try number(at: position, bytes: 4) == 0x0201_4b50 else {
      throw Failure(detail: "its directory is damaged")
    }
    let flags = try number(at: position + 8, bytes: 2)
    let method = try number(at: position + 10, bytes: 2)
    let packed = try number(at: position + 20, bytes: 4)
    let size = try number(at: position + 24, bytes: 4)
    let nameCount = try number(at: position + 28, bytes: 2)
    let extraCount = try number(at: position + 30, bytes: 2)
    let commentCount = try number(at: position + 32, bytes: 2)
    let header = try number(at: position + 42, bytes: 4)
    let name = try text(at: position + 46, count: nameCount)
    position += 46 + nameCount + extraCount + commentCount
    guard !name.hasSuffix("/") else { return }
    guard flags & 1 == 0 else { throw Failure(detail: "member '\(name)' is encrypted") }
    guard !name.hasPrefix("/"), !name.contains("\\"), !name.components.contains("..") else {
      throw Failure(detail: "member '\(name)' names a place outside the archive")
    }
    guard method == 0 else {
      throw Failure(detail: "member '\(name)' is compressed (method \(method)), not stored")
    }
    guard packed == size, size != 0xffff_ffff else {
      throw Failure(detail: "member '\(name)' declares \(size) bytes but stores \(packed)")
    }
    let start = try dataStart(of: name, header: header)
    guard start + size <= limit else {
      throw Failure(detail: "member '\(name)' reaches beyond the data")
    }
    members.append(Member(name: name, range: start..<(start + size)))
  }

  private func dataStart(of name: String, header: Int) throws(Failure) -> Int {
    guard try number(at: header, bytes: 4) == 0x0403_4b50,
      try number(at: header + 8, bytes: 2) == 0
    else { throw Failure(detail: "the header of member '\(name)' is damaged") }
    let nameCount = try number(at: header + 26, bytes: 2)
    let extraCount = try number(at: header + 28, bytes: 2)
    guard try text(at: header + 30, count: nameCount) == name else {
      throw Failure(detail: "member '\(name)' has another name in its header")
    }
    return header + 30 + nameCount + extraCount
  }

  private func text(at position: Int, count: Int) throws(Failure) -> String {
    // Safe: the range is checked before it is read.
    guard position >= 0, unsafe position + count <= bytes.count else {
      throw Failure(detail: "it ends too early")
    }
    return unsafe String(untrusted: bytes[position..<(position + count)])
  }
}
