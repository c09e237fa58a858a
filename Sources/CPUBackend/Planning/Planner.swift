internal import COneDNN
internal import TensorIR

/// Chooses storages, layouts and steps for the items of a graph.
struct Planner {
  /// A step, and whether it runs once per binding of the parameters.
  struct Planned {
    var step: any Step
    var isConstant: Bool
  }

  /// Where an item lies; `format` is `nil` for the order of the graph.
  struct Place {
    var storage: Int
    var format: KernelFormat?
  }

  let items: [Item]
  let isDouble: Bool
  let threads: Int
  let grouping: Grouping
  private(set) var storages: [Storage] = []
  private(set) var steps: [Planned] = []
  /// The natural place of each item first, then its copies in other layouts.
  private(set) var places: [[Place]]
  /// Items that somebody outside their group reads.
  private var isStored: [Bool]

  /// Whether somebody outside its group reads an item.
  func isStoredOutside(_ item: Int) -> Bool { isStored[item] }

  var elementBytes: Int { isDouble ? 8 : 4 }

  init(_ lowering: Lowering, isDouble: Bool, threads: Int) throws(BackendError) {
    items = lowering.items
    self.isDouble = isDouble
    self.threads = threads
    grouping = Grouping(items)
    places = Array(repeating: [], count: items.count)
    isStored = Array(repeating: false, count: items.count)
    findStored(lowering.outputs)
    for (index, item) in items.enumerated() {
      switch item.form {
      case .input, .constant, .table:
        places[index] = [Place(storage: add(item.count * elementBytes, .permanent), format: nil)]
      default: break
      }
    }
    let schedule = Schedule(grouping, items, outputs: lowering.outputs)
    for group in schedule.order { try plan(grouping.groups[group]) }
    for output in lowering.outputs {
      let storage = try self.storage(of: output, in: nil)
      if storages[storage].life == .temporary { storages[storage].life = .result }
    }
  }

  private mutating func findStored(_ outputs: [Int]) {
    for output in outputs { isStored[output] = true }
    for (index, item) in items.enumerated() {
      switch item.form {
      case .element(_, let operands):
        for operand in operands {
          guard let source = operand.item else { continue }
          if case .flat = operand, grouping.groupOf[source] == grouping.groupOf[index] { continue }
          isStored[source] = true
        }
      case .fold(_, let operand):
        isStored[index] = true
        if let source = operand.item, grouping.groupOf[source] != grouping.groupOf[index] {
          isStored[source] = true
        }
      case .opaque(_, let operands):
        isStored[index] = true
        for source in operands { isStored[source] = true }
      default: break
      }
    }
  }

  mutating func add(_ bytes: Int, _ life: Storage.Life) -> Int {
    storages.append(Storage(bytes: bytes, life: life))
    return storages.count - 1
  }

  mutating func append(_ step: any Step, isConstant: Bool) {
    steps.append(Planned(step: step, isConstant: isConstant))
  }

  /// A new storage for the result of an item.
  mutating func place(_ item: Int, format: KernelFormat? = nil) -> Int {
    let bytes = format?.blocked.bytes ?? items[item].count * elementBytes
    let storage = add(bytes, items[item].isConstant ? .permanent : .temporary)
    places[item] = [Place(storage: storage, format: format)]
    return storage
  }

  /// The storage of an item in a layout, converted if it is in none like it.
  mutating func storage(of item: Int, in format: KernelFormat?) throws(BackendError) -> Int {
    if let place = places[item].first(where: { $0.format == format }) { return place.storage }
    guard let natural = places[item].first, let known = format ?? natural.format else {
      preconditionFailure("item \(item) is read before it is made")
    }
    let handle = try PrimitiveHandle(
      from: natural.format?.blocked ?? known.plain, to: format?.blocked ?? known.plain)
    let isConstant = items[item].isConstant
    let bytes = format?.blocked.bytes ?? items[item].count * elementBytes
    let copy = add(bytes, isConstant ? .permanent : .temporary)
    places[item].append(Place(storage: copy, format: format))
    append(ReorderStep(handle, from: natural.storage, to: copy), isConstant: isConstant)
    return copy
  }

  private mutating func plan(_ group: Grouping.Group) throws(BackendError) {
    if group.count != nil { return try planPass(group) }
    let index = group.members[0]
    guard case .opaque(let opaque, let operands) = items[index].form else { return }
    if case .convolution(let form) = opaque {
      return try planConvolution(form, operands, index)
    }
    var sources: [Int] = []
    for operand in operands { sources.append(try storage(of: operand, in: nil)) }
    let result = place(index)
    let step: any Step =
      switch opaque {
      case .product(let form):
        ProductStep(form, operands: sources, result: result, isDouble: isDouble, threads: threads)
      case .assembly(let placements):
        AssemblyStep(
          placements, operands: sources, result: result, count: items[index].count,
          isDouble: isDouble, threads: threads)
      default:
        IndexStep(
          opaque, operands: sources, result: result,
          counts: (items[operands[operands.count - 1]].count, items[index].count),
          isDouble: isDouble, threads: threads)
      }
    append(step, isConstant: items[index].isConstant)
  }

  private mutating func planPass(_ group: Grouping.Group) throws(BackendError) {
    let format = layout(of: group)
    var storageOf: [Int: Int] = [:]
    for member in group.members {
      for operand in items[member].passOperands {
        guard let item = operand.item, grouping.groupOf[item] != grouping.groupOf[member],
          storageOf[item] == nil
        else { continue }
        let isWhole = if case .flat = operand { true } else { false }
        storageOf[item] = try storage(of: item, in: isWhole ? format : nil)
      }
    }
    for member in group.members where isStored[member] {
      let isFold = if case .fold = items[member].form { true } else { false }
      storageOf[member] = place(member, format: isFold ? nil : format)
    }
    let count = format.map { $0.blocked.bytes / elementBytes } ?? group.count ?? 0
    let stored = isStored
    let emission = ClusterEmission(
      group, items: items, count: count, isDouble: isDouble, threads: threads,
      storageOf: { storageOf[$0, default: -1] }, isStored: { stored[$0] })
    append(ClusterStep(emission.plan), isConstant: group.isConstant)
  }
}

extension Item {
  /// What a member of a pass reads.
  var passOperands: [Operand] {
    switch form {
    case .element(_, let operands): operands
    case .fold(_, let operand): [operand]
    default: []
    }
  }
}
