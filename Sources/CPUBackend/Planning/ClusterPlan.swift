internal import COneDNN

/// A fused pass over tiles, before it has addresses.
struct ClusterPlan {
  enum Slot: Hashable {
    case memory(Int)
    case register(Int)
    case scalar(Int)
  }

  struct Load {
    /// `nil` to load coordinates.
    var storage: Int?
    var slot: Int
    var access: Access
    var once: Bool
  }

  struct Instruction {
    var operation: leak_operation
    var scalars: Int
    var result: Int
    var operands: [Int]
  }

  struct Reduction {
    var fold: Fold
    var slot: Int
    var storage: Int
  }

  var space: Space
  /// Elements per tile.
  var tile: Int
  var threads: Int
  var isDouble: Bool
  var slots: [Slot] = []
  var loads: [Load] = []
  var instructions: [Instruction] = []
  var reductions: [Reduction] = []
  var registers = 0

  /// Storages read through slots or loads, without those written.
  var reads: [Int] {
    let written = Set(writes)
    var reads: [Int] = []
    for slot in slots {
      switch slot {
      case .memory(let storage), .scalar(let storage):
        if !written.contains(storage) { reads.append(storage) }
      case .register: break
      }
    }
    return reads + loads.compactMap(\.storage)
  }

  /// Storages written.
  var writes: [Int] {
    var writes = reductions.map(\.storage)
    for instruction in instructions {
      if case .memory(let storage) = slots[instruction.result] { writes.append(storage) }
    }
    return writes
  }

  /// Pairs of a storage that is read at the same place only, and one that is written after the
  /// last such reading: the two may be the same memory.
  var replacements: [(read: Int, written: Int)] {
    var lastRead: [Int: Int] = [:]
    var written: [(step: Int, storage: Int)] = []
    for (step, instruction) in instructions.enumerated() {
      for operand in instruction.operands {
        if case .memory(let storage) = slots[operand] { lastRead[storage] = step }
      }
      if case .memory(let storage) = slots[instruction.result] { written.append((step, storage)) }
    }
    var excluded = Set(loads.compactMap(\.storage) + written.map(\.storage))
    for slot in slots { if case .scalar(let storage) = slot { excluded.insert(storage) } }
    for reduction in reductions {
      if case .memory(let storage) = slots[reduction.slot] { excluded.insert(storage) }
    }
    return written.flatMap { write in
      lastRead.filter { $0.value <= write.step && !excluded.contains($0.key) }
        .map { (read: $0.key, written: write.storage) }
        .sorted { $0.read < $1.read }
    }
  }
}
