internal import Tensors

/// What the reading child hands to its parent beside the numbers.
struct Catalogue: Codable, Sendable {
  /// Where the numbers of a dataset lie.
  enum Location: Codable, Sendable {
    /// Inside the audited file itself, at this byte.
    case file(Int)
    /// Inside the shared memory, at this byte.
    case shared(Int)
  }

  struct Numbers: Codable, Sendable {
    var shape: [Int]
    var kind: ElementKind
    var location: Location
    var isInteger: Bool
    /// Why the bytes could not be decoded after all.
    var failure: String?
  }

  enum Dataset: Codable, Sendable {
    case numbers(Numbers)
    case text([String])
    case refused(shape: [Int], reason: String)
  }

  var groups: [String] = []
  var datasets: [String: Dataset] = [:]
  var attributes: [String: [String: Container.Attribute]] = [:]
  var hazards: [Container.Hazard] = []
  var omissions: [Container.Omission] = []
  /// Bytes of shared memory that were filled.
  var sharedCount = 0
}

/// How much of a file is looked at.
///
/// Chosen so that every real checkpoint known to us passes with room to spare: the largest public
/// models have some ten thousand tensors and a nesting of about twelve.
struct ReadingLimits: Codable, Sendable {
  var depth = 64
  var objects = 100_000
  var attributesPerObject = 2_000
  var attributeBytes = 64 << 20
  var totalAttributeBytes = 256 << 20
  var nameBytes = 4_096
  /// Bytes of numbers, in the file or decoded.
  var dataBytes = 4 << 30
  /// A filtered dataset may be this many times larger than its stored bytes.
  var expansion = 1_000
  /// Datasets up to this size may expand as they like.
  var expansionFloor = 64 << 20
}
