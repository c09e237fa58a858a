/// The order in which groups run.
///
/// It is found from the end: of the groups whose readers have all been placed, the one that became
/// free last is placed next. So a value is made just before it is used, while it is in the cache.
struct Schedule {
  /// Numbers of groups, first to run first.
  private(set) var order: [Int] = []

  init(_ grouping: Grouping, _ items: [Item], outputs: [Int]) {
    let groups = grouping.groups
    var operands = Array(repeating: [Int](), count: groups.count)
    var waiting = Array(repeating: 0, count: groups.count)
    for group in groups.indices {
      var found: Set<Int> = []
      for member in groups[group].members {
        for item in items[member].operands {
          guard let source = grouping.groupOf[item], source != group else { continue }
          if found.insert(source).inserted { operands[group].append(source) }
        }
      }
      for source in operands[group] { waiting[source] += 1 }
    }
    var free = groups.indices.filter { waiting[$0] == 0 && !groups[$0].members.isEmpty }
    while let group = free.popLast() {
      order.append(group)
      // The operand made last in the graph is placed first, so that runs later.
      for source in operands[group].sorted(by: { first(groups, $0) < first(groups, $1) }) {
        waiting[source] -= 1
        if waiting[source] == 0 { free.append(source) }
      }
    }
    order.reverse()
  }

  private func first(_ groups: [Grouping.Group], _ group: Int) -> Int {
    groups[group].members.last ?? 0
  }
}

extension Item {
  /// The items it reads.
  var operands: [Int] {
    switch form {
    case .input, .constant, .table: []
    case .element(_, let operands): operands.compactMap(\.item)
    case .fold(_, let operand): [operand].compactMap(\.item)
    case .opaque(_, let operands): operands
    }
  }
}
