internal import COneDNN

/// Writes the pass of one group.
struct ClusterEmission {
  private(set) var plan: ClusterPlan
  private let items: [Item]
  private let members: [Int]
  private let storageOf: (Int) -> Int
  private let isStored: (Int) -> Bool
  private var slotOf: [Operand: Int] = [:]
  private var freeRegisters: [Int] = []
  /// Position of the last member that reads a member.
  private var lastReader: [Int: Int] = [:]
  /// Products that are added where they are used.
  private var absorbed: Set<Int> = []

  /// `count` is the number of elements of the space, padding of a kernel's layout included;
  /// `storageOf` gives an item's storage in the layout of this pass, and `isStored` tells whether
  /// somebody outside the group reads it.
  init(
    _ group: Grouping.Group, items: [Item], count: Int, isDouble: Bool, threads: Int,
    storageOf: @escaping (Int) -> Int, isStored: @escaping (Int) -> Bool
  ) {
    self.items = items
    self.storageOf = storageOf
    self.isStored = isStored
    members = group.members
    plan = ClusterPlan(
      space: group.space ?? Space(groups: 1, rows: 1, columns: count), tile: 0, threads: 1,
      isDouble: isDouble)
    if group.space == nil { divide(count) }
    chooseTiles(threads)
    findLastReaders()
    findAbsorbed()
    for (position, member) in members.enumerated() { emit(member, position) }
  }

  /// Makes the rows of a free space the period of what is broadcast over it, so that a tile of the
  /// broadcast tensor is made once.
  private mutating func divide(_ count: Int) {
    var period = 0
    for member in members {
      guard case .element(_, let operands) = items[member].form else { continue }
      for operand in operands {
        guard case .load(_, let access) = operand, access.strides.first == 0 else { continue }
        let columns = access.extents.dropFirst().reduce(1, *)
        if columns > 1, count % columns == 0 { period = max(period, columns) }
      }
    }
    if period > 0 { plan.space = Space(groups: 1, rows: count / period, columns: period) }
  }

  private mutating func chooseTiles(_ threads: Int) {
    let limit = plan.isDouble ? 1024 : 2048
    let work = plan.space.count * (members.count + 1)
    plan.threads = work >= 32768 ? threads : 1
    let (rows, columns) = (plan.space.rows, plan.space.columns)
    if columns > limit && plan.space.groups * rows == 1 {
      let tiles = evened((columns + limit - 1) / limit)
      plan.tile = min(columns, ((columns + tiles - 1) / tiles + 15) / 16 * 16)
      if plan.tile >= columns { plan.tile = columns }
    } else if columns <= limit {
      let tiles = evened((rows + limit / columns - 1) / (limit / columns))
      plan.tile = (rows + tiles - 1) / tiles * columns
    } else {
      plan.tile = limit
    }
  }

  /// A multiple of the number of threads.
  private func evened(_ tiles: Int) -> Int {
    (tiles + plan.threads - 1) / plan.threads * plan.threads
  }

  private mutating func findLastReaders() {
    for (position, member) in members.enumerated() {
      for item in items[member].operands {
        lastReader[item] = max(lastReader[item] ?? 0, position)
      }
      if case .fold(_, let operand) = items[member].form, let item = operand.item {
        lastReader[item] = Int.max
      }
    }
  }

  /// Finds products with one reader, an addition of this group.
  private mutating func findAbsorbed() {
    var readers: [Int: Int] = [:]
    for member in members { for item in items[member].operands { readers[item, default: 0] += 1 } }
    for member in members {
      guard case .element(leak_add, let operands) = items[member].form else { continue }
      for operand in operands {
        guard case .flat(let item) = operand, members.contains(item), !isStored(item),
          readers[item] == 1, case .element(leak_multiply, let factors) = items[item].form
        else { continue }
        absorbed.insert(item)
        for factor in factors {
          if let read = factor.item, let position = members.firstIndex(of: member) {
            lastReader[read] = max(lastReader[read] ?? 0, position)
          }
        }
        break
      }
    }
  }

  private mutating func emit(_ member: Int, _ position: Int) {
    switch items[member].form {
    case .element(let operation, let operands):
      guard !absorbed.contains(member) else { return }
      if operation == leak_add,
        let index = operands.firstIndex(where: { absorbed.contains($0.item ?? -1) }),
        let item = operands[index].item, case .element(_, let factors) = items[item].form
      {
        emit(leak_multiply_add, factors + [operands[1 - index]], member, position)
      } else {
        emit(operation, operands, member, position)
      }
    case .fold(let fold, let operand):
      let slot = slot(operand)
      plan.reductions.append(.init(fold: fold, slot: slot, storage: storageOf(member)))
    case .input, .constant, .table, .opaque:
      preconditionFailure("not part of a pass")
    }
  }

  private mutating func emit(
    _ operation: leak_operation, _ operands: [Operand], _ member: Int, _ position: Int
  ) {
    let slots = operands.map { slot($0, mayBeScalar: !operation.isUnary) }
    var scalars = 0
    for (index, slot) in slots.enumerated() {
      if case .scalar = plan.slots[slot] { scalars |= 1 << index }
    }
    let result = resultSlot(member)
    plan.instructions.append(
      .init(operation: operation, scalars: scalars, result: result, operands: slots))
    for operand in Set(operands) { release(operand, position) }
  }

  private mutating func resultSlot(_ member: Int) -> Int {
    if isStored(member) {
      plan.slots.append(.memory(storageOf(member)))
    } else if let register = freeRegisters.popLast() {
      plan.slots.append(.register(register))
    } else {
      plan.slots.append(.register(plan.registers))
      plan.registers += 1
    }
    slotOf[.flat(member)] = plan.slots.count - 1
    return plan.slots.count - 1
  }

  /// Gives a member's register back behind its last reader.
  private mutating func release(_ operand: Operand, _ position: Int) {
    guard case .flat(let item) = operand, lastReader[item] ?? 0 <= position,
      let slot = slotOf[operand], case .register(let register) = plan.slots[slot]
    else { return }
    freeRegisters.append(register)
  }

  private mutating func slot(_ operand: Operand, mayBeScalar: Bool = true) -> Int {
    if let slot = slotOf[operand], mayBeScalar || !isScalar(slot) { return slot }
    switch operand {
    case .flat(let item): plan.slots.append(.memory(storageOf(item)))
    case .scalar(let item) where mayBeScalar: plan.slots.append(.scalar(storageOf(item)))
    case .scalar(let item):
      let access = Access(extents: [plan.space.count], strides: [0])
      addLoad(storageOf(item), access)
      return plan.slots.count - 1
    case .load(let item, let access): addLoad(storageOf(item), access)
    case .coordinates(let access): addLoad(nil, access)
    }
    slotOf[operand] = plan.slots.count - 1
    return plan.slots.count - 1
  }

  private func isScalar(_ slot: Int) -> Bool {
    if case .scalar = plan.slots[slot] { return true }
    return false
  }

  private mutating func addLoad(_ storage: Int?, _ access: Access) {
    plan.slots.append(.register(plan.registers))
    plan.registers += 1
    var access = access
    if access.extents.isEmpty { (access.extents, access.strides) = ([1], [0]) }
    let once =
      plan.space.columns <= plan.tile && isPeriodic(access)
      || access.strides.allSatisfy { $0 == 0 } && plan.space.count >= plan.tile
    plan.loads.append(
      .init(storage: storage, slot: plan.slots.count - 1, access: access, once: once))
  }

  /// Whether every row of the space reads the same elements.
  private func isPeriodic(_ access: Access) -> Bool {
    guard access.strides.first == 0 else { return false }
    let period = access.extents.dropFirst().reduce(1, *)
    return plan.space.columns % period == 0
  }
}
