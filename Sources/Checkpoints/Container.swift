public import Tensors

/// What an HDF5 file holds, once it is out of the reach of the library that parsed it.
///
/// Objects are keyed by their path without a leading slash; the root group is `""`. Names are
/// valid text: bytes that were not UTF-8 appear as `\xHH`.
public struct Container: Sendable {
  /// A value attached to an object.
  public enum Attribute: Codable, Hashable, Sendable {
    case text([String], isScalar: Bool)
    case numbers([Double], isScalar: Bool)
    /// A type this project does not read, by name.
    case unsupported(String)
  }

  /// A dataset: numbers, text, or the reason why it was not read.
  public enum Dataset: Sendable {
    case numbers(Tensor, isInteger: Bool)
    case text([String])
    case refused(shape: [Int], reason: String)
  }

  /// Something in the file that points outside of it, or that would run code.
  public struct Hazard: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Sendable {
      case externalLink, externalStorage, virtualDataset, userDefinedLink
    }

    public var kind: Kind
    public var path: String
    /// The file it points to, as written there; never opened.
    public var target: String

    public init(kind: Kind, path: String, target: String) {
      self.kind = kind
      self.path = path
      self.target = target
    }
  }

  /// Something that was passed over, and why.
  public struct Omission: Codable, Hashable, Sendable {
    public var path: String
    public var reason: String

    public init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }
  }

  public var groups: Set<String>
  public var datasets: [String: Dataset]
  public var attributes: [String: [String: Attribute]]
  public var hazards: [Hazard]
  public var omissions: [Omission]
  /// The paths of all datasets, sorted with numbers in numeric order.
  public let datasetPaths: [String]
  /// The paths below each group, for walks that need only one level.
  private let children: [String: [String]]

  public init(
    groups: Set<String> = [""], datasets: [String: Dataset] = [:],
    attributes: [String: [String: Attribute]] = [:], hazards: [Hazard] = [],
    omissions: [Omission] = []
  ) {
    self.groups = groups
    self.datasets = datasets
    self.attributes = attributes
    self.hazards = hazards
    self.omissions = omissions
    datasetPaths = datasets.keys.sorted(by: NaturalOrder.precedes)
    var children: [String: [String]] = [:]
    for path in groups.union(datasets.keys) where !path.isEmpty {
      children[String(path.parent), default: []].append(path)
    }
    self.children = children.mapValues { $0.sorted(by: NaturalOrder.precedes) }
  }

  /// The names directly below `group`, numbers in numeric order.
  public func names(in group: String) -> [String] {
    children[group, default: []].map { String($0.lastComponent) }
  }

  /// The numbers of the dataset at `path`.
  public func tensor(_ path: String) -> Tensor? {
    guard case .numbers(let tensor, _) = datasets[path] else { return nil }
    return tensor
  }

  /// A text attribute, or `nil` if it is absent or not text.
  public func text(_ name: String, of path: String = "") -> String? {
    guard case .text(let values, _) = attributes[path]?[name] else { return nil }
    return values.first
  }

  /// A list of names; long lists are stored in pieces `name0`, `name1`, ….
  ///
  /// Keras splits attributes that would not fit into 64 KiB. An empty list may be stored as an
  /// empty array of numbers.
  public func texts(_ name: String, of path: String) -> [String]? {
    switch attributes[path]?[name] {
    case .text(let values, _): return values
    case .numbers(let values, _): return values.isEmpty ? [] : nil
    case .unsupported, nil:
      var pieces: [String] = []
      var index = 0
      while case .text(let values, _) = attributes[path]?["\(name)\(index)"] {
        pieces += values
        index += 1
      }
      return index > 0 ? pieces : nil
    }
  }

  /// A numeric scalar attribute.
  public func number(_ name: String, of path: String = "") -> Double? {
    guard case .numbers(let values, _) = attributes[path]?[name], values.count == 1 else {
      return nil
    }
    return values[0]
  }
}

extension String {
  /// Everything before the last slash; empty at the top level.
  var parent: Substring { lastIndex(of: "/").map { self[..<$0] } ?? "" }
  /// Everything behind the last slash.
  var lastComponent: Substring { lastIndex(of: "/").map { self[index(after: $0)...] } ?? self[...] }
  /// The parts between slashes.
  var components: [Substring] { split(separator: "/") }
}

/// Text order in which runs of digits compare as numbers: `vars/9` before `vars/10`.
package enum NaturalOrder {
  package static func precedes(_ lhs: String, _ rhs: String) -> Bool {
    var (left, right) = (lhs.utf8[...], rhs.utf8[...])
    while let a = left.first, let b = right.first {
      if a.isDigit, b.isDigit {
        let (x, y) = (left.prefix(while: \.isDigit), right.prefix(while: \.isDigit))
        let (m, n) = (x.drop { $0 == 0x30 }, y.drop { $0 == 0x30 })
        if m.count != n.count { return m.count < n.count }
        if !m.elementsEqual(n) { return m.lexicographicallyPrecedes(n) }
        left = left.dropFirst(x.count)
        right = right.dropFirst(y.count)
      } else {
        if a != b { return a < b }
        left = left.dropFirst()
        right = right.dropFirst()
      }
    }
    return left.isEmpty && right.isEmpty ? lhs.utf8.count < rhs.utf8.count : left.isEmpty
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}
