package import Tensors

/// What the reading child hands to its parent beside the numbers.
package struct Catalogue: Codable, Sendable {
  /// Where the numbers of a dataset lie.
  package enum Location: Codable, Sendable {
    /// Inside the audited file itself, at this byte.
    case file(Int)
    /// Inside the shared memory, at this byte.
    case shared(Int)
  }

  package struct Numbers: Codable, Sendable {
    package var shape: [Int]
    package var kind: ElementKind
    package var location: Location
    package var isInteger: Bool
    /// Why the bytes could not be decoded after all.
    package var failure: String?

    package init(shape: [Int], kind: ElementKind, location: Location, isInteger: Bool) {
      self.shape = shape
      self.kind = kind
      self.location = location
      self.isInteger = isInteger
    }
  }

  package enum Dataset: Codable, Sendable {
    case numbers(Numbers)
    case text([String])
    case refused(shape: [Int], reason: String)
  }

  package var groups: [String] = []
  package var datasets: [String: Dataset] = [:]
  package var attributes: [String: [String: Container.Attribute]] = [:]
  package var hazards: [Container.Hazard] = []
  package var omissions: [Container.Omission] = []
  /// Bytes of shared memory that were filled.
  package var sharedCount = 0

  package init() {}
}

/// How much of a file is looked at.
///
/// Chosen so that every real checkpoint known to us passes with room to spare: the largest public
/// models have some ten thousand tensors and a nesting of about twelve.
package struct ReadingLimits: Codable, Sendable {
  package var depth = 64
  package var objects = 100_000
  package var attributesPerObject = 2_000
  package var attributeBytes = 64 << 20
  package var totalAttributeBytes = 256 << 20
  package var nameBytes = 4_096
  /// Bytes of numbers, in the file or decoded.
  package var dataBytes: Int
  /// A filtered dataset may be this many times larger than its stored bytes.
  package var expansion = 1_000
  /// Datasets up to this size may expand as they like.
  package var expansionFloor = 64 << 20

  package init(dataBytes: Int = 4 << 30) { self.dataBytes = dataBytes }
}
