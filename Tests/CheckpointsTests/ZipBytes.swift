/// ZIP files put together byte by byte, sound or broken in one place.
struct ZipBytes {
  struct Member {
    var name: String
    var data: [UInt8] = [1, 2, 3]
    var method = 0
    var flags = 0
    /// What the directory says instead of the truth.
    var size: Int?
    var packed: Int?
    var headerName: String?
    var headerOffset: Int?
    var headerMethod: Int?
  }

  var members: [Member]
  var count: Int?
  var directoryStart: Int?
  var directorySize: Int?
  var disk = 0
  var comment: [UInt8] = []
  var declaredComment: Int?

  init(_ members: Member...) { self.members = members }

  var bytes: [UInt8] {
    var result: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let start = result.count
      let (name, shown) = (Array(member.name.utf8), Array((member.headerName ?? member.name).utf8))
      result += number(0x0403_4b50, 4) + number(20, 2) + number(member.flags, 2)
      result += number(member.headerMethod ?? member.method, 2) + number(0, 8)
      result += number(member.data.count, 4) + number(member.data.count, 4)
      result += number(shown.count, 2) + number(0, 2) + shown + member.data
      directory += number(0x0201_4b50, 4) + number(20, 2) + number(20, 2) + number(member.flags, 2)
      directory += number(member.method, 2) + number(0, 8)
      directory += number(member.packed ?? member.data.count, 4)
      directory += number(member.size ?? member.data.count, 4) + number(name.count, 2)
      directory += number(0, 12) + number(member.headerOffset ?? start, 4) + name
    }
    let start = result.count
    result += directory + number(0x0605_4b50, 4) + number(disk, 4)
    result += number(count ?? members.count, 2) + number(count ?? members.count, 2)
    result += number(directorySize ?? directory.count, 4) + number(directoryStart ?? start, 4)
    return result + number(declaredComment ?? comment.count, 2) + comment
  }

  private func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
