/// Which items run together: element-wise items and the reductions at their ends are fused into one
/// pass wherever that leaves an order of execution.
struct Grouping {
  /// Items that one step computes.
  struct Group {
    var members: [Int]
    /// Elements of the iteration space; `nil` for a step of its own.
    var count: Int?
    var isConstant: Bool
    /// The division that a reduction of rows or columns asks for.
    var space: Space?
    var kind: Fold.Kind?
    /// Groups that must run before this one.
    var before = BitSet()
    /// Items read at the same place, from outside.
    var sources: Set<Int> = []
  }

  /// A pass with more members than this would need more slots than a cluster has.
  private static let largestGroup = 60
  /// Sharing a pass with a reader of the same item pays from this many elements on.
  private static let worthSharing = 4096

  private let items: [Item]
  private(set) var groups: [Group] = []
  /// The group of each item; `nil` for inputs and constants.
  private(set) var groupOf: [Int?]
  /// Groups that read an item at the same place.
  private var readers: [Int: [Int]] = [:]

  init(_ items: [Item]) {
    self.items = items
    groupOf = Array(repeating: nil, count: items.count)
    for index in items.indices { place(index) }
  }

  private mutating func place(_ index: Int) {
    switch items[index].form {
    case .input, .constant, .table: break
    case .opaque(_, let operands):
      let group = start([index], count: nil)
      depend(group, on: operands.compactMap { groupOf[$0] })
    case .element(_, let operands):
      placeInPass(index, operands, count: items[index].count, fold: nil)
    case .fold(let fold, let operand):
      placeInPass(index, [operand], count: fold.space.count, fold: fold)
    }
  }

  private mutating func placeInPass(
    _ index: Int, _ operands: [Operand], count: Int, fold: Fold?
  ) {
    // Groups whose results are read as they are computed, and groups that must have finished.
    var direct: [Int] = []
    var finished: [Int] = []
    var sources: [Int] = []
    for operand in operands {
      guard let item = operand.item else { continue }
      let group = groupOf[item]
      if case .flat = operand {
        if let group, case .element = items[item].form {
          if !direct.contains(group) { direct.append(group) }
        } else {
          sources.append(item)
          if let group { finished.append(group) }
        }
      } else if let group {
        finished.append(group)
      }
    }
    let all = direct + finished
    var candidates = direct
    if count >= Self.worthSharing {
      candidates += sources.flatMap { readers[$0, default: []] }
    }
    let home = candidates.first { canJoin($0, index, count, fold, all, finished) }
    let group = home ?? start([], count: count)
    join(group, index, fold, sources)
    depend(group, on: all.filter { $0 != group })
    for source in sources where readers[source]?.contains(group) != true {
      readers[source, default: []].append(group)
    }
    for candidate in candidates where candidate != group && canMerge(candidate, into: group) {
      merge(candidate, into: group)
    }
  }

  private func canJoin(
    _ group: Int, _ index: Int, _ count: Int, _ fold: Fold?, _ all: [Int], _ finished: [Int]
  ) -> Bool {
    let home = groups[group]
    guard home.count == count, home.isConstant == items[index].isConstant,
      home.members.count < Self.largestGroup, !finished.contains(group), fits(fold, home)
    else { return false }
    return all.allSatisfy { $0 == group || !groups[$0].before.contains(group) }
  }

  private func fits(_ fold: Fold?, _ group: Group) -> Bool {
    guard let fold, fold.kind != .all, let space = group.space else { return true }
    return space == fold.space && group.kind == fold.kind
  }

  private mutating func join(_ group: Int, _ index: Int, _ fold: Fold?, _ sources: [Int]) {
    groups[group].members.append(index)
    groups[group].sources.formUnion(sources)
    if groups[group].members.count == 1 { groups[group].isConstant = items[index].isConstant }
    groupOf[index] = group
    if let fold, fold.kind != .all {
      groups[group].space = fold.space
      groups[group].kind = fold.kind
    }
  }

  private mutating func start(_ members: [Int], count: Int?) -> Int {
    let isConstant = members.first.map { items[$0].isConstant } ?? false
    groups.append(Group(members: members, count: count, isConstant: isConstant))
    for member in members { groupOf[member] = groups.count - 1 }
    return groups.count - 1
  }

  /// Records that `group`, and whatever runs behind it, runs behind `others`.
  private mutating func depend(_ group: Int, on others: [Int]) {
    var added = BitSet()
    for other in others where !groups[group].before.contains(other) {
      added.formUnion(groups[other].before)
      added.insert(other)
    }
    groups[group].before.formUnion(added)
    for later in groups.indices where groups[later].before.contains(group) {
      groups[later].before.formUnion(added)
    }
  }

  /// Whether no third group has to run between the two, and they fit.
  private func canMerge(_ other: Int, into group: Int) -> Bool {
    let (one, two) = (groups[other], groups[group])
    guard one.count == two.count, one.isConstant == two.isConstant, !one.members.isEmpty,
      one.members.count + two.members.count <= Self.largestGroup,
      one.space == nil || two.space == nil || (one.space == two.space && one.kind == two.kind),
      !readsFinished(other, group), !readsFinished(group, other)
    else { return false }
    return groups.indices.allSatisfy { third in
      third == other || third == group
        || !(groups[third].before.contains(other) && two.before.contains(third))
          && !(groups[third].before.contains(group) && one.before.contains(third))
    }
  }

  /// Whether a member of `group` needs a result of `other` that exists only when all is done.
  private func readsFinished(_ group: Int, _ other: Int) -> Bool {
    groups[group].members.contains { member in
      guard case .element(_, let operands) = items[member].form else { return false }
      return operands.contains { operand in
        guard let item = operand.item, groupOf[item] == other else { return false }
        if case .flat = operand, case .element = items[item].form { return false }
        return true
      }
    }
  }

  private mutating func merge(_ other: Int, into group: Int) {
    let taken = groups[other]
    groups[other].members = []
    groups[other].count = nil
    for member in taken.members { groupOf[member] = group }
    groups[group].members = (groups[group].members + taken.members).sorted()
    groups[group].sources.formUnion(taken.sources)
    if taken.space != nil {
      groups[group].space = taken.space
      groups[group].kind = taken.kind
    }
    for source in taken.sources {
      readers[source] = readers[source, default: []].filter { $0 != other && $0 != group } + [group]
    }
    let before = taken.before
    for later in groups.indices where groups[later].before.contains(other) && later != group {
      depend(later, on: [group])
    }
    var added = before
    added.formUnion(groups[group].before)
    groups[group].before = added
    for later in groups.indices where groups[later].before.contains(group) {
      groups[later].before.formUnion(added)
    }
  }
}
