internal import COneDNN
internal import TensorIR

/// A fused pass over tiles.
@safe final class ClusterStep: Step {
  let plan: ClusterPlan
  let reads: [Int]
  let writes: [Int]
  private let slots: UnsafeMutableBufferPointer<leak_slot>
  private let loads: UnsafeMutableBufferPointer<leak_load>
  private let steps: UnsafeMutableBufferPointer<leak_step>
  private let reductions: UnsafeMutableBufferPointer<leak_reduction>
  /// The pass and the list of one pass that the run is handed.
  private let cluster: UnsafeMutablePointer<leak_cluster>
  private let list: UnsafeMutablePointer<UnsafePointer<leak_cluster>?>
  private var memory: UnsafeMutableRawPointer?

  init(_ plan: ClusterPlan) {
    self.plan = plan
    reads = plan.reads
    writes = plan.writes
    // Safe, all of them: allocated here, initialised below, freed in deinit.
    unsafe slots = .allocate(capacity: plan.slots.count)
    unsafe loads = .allocate(capacity: plan.loads.count)
    unsafe steps = .allocate(capacity: plan.instructions.count)
    unsafe reductions = .allocate(capacity: plan.reductions.count)
    unsafe cluster = .allocate(capacity: 1)
    unsafe list = .allocate(capacity: 1)
    unsafe slots.initialize(repeating: leak_slot())
    unsafe loads.initialize(repeating: leak_load())
    unsafe reductions.initialize(repeating: leak_reduction())
    for (index, instruction) in plan.instructions.enumerated() {
      let operands = instruction.operands.map(Int32.init)
      let first = operands[0]
      unsafe steps.initializeElement(
        at: index,
        to: leak_step(
          operation: Int32(instruction.operation.rawValue), scalars: Int32(instruction.scalars),
          result: Int32(instruction.result), first: first,
          second: operands.count > 1 ? operands[1] : first,
          third: operands.count > 2 ? operands[2] : first))
    }
    unsafe cluster.initialize(
      to: leak_cluster(
        groups: Int64(plan.space.groups), rows: Int64(plan.space.rows),
        columns: Int64(plan.space.columns), tile: Int64(plan.tile),
        is_double: plan.isDouble ? 1 : 0, registers: Int32(plan.registers),
        slot_count: Int32(plan.slots.count), load_count: Int32(plan.loads.count),
        step_count: Int32(plan.instructions.count),
        reduction_count: Int32(plan.reductions.count), slots: slots.baseAddress,
        loads: loads.baseAddress, steps: steps.baseAddress,
        reductions: reductions.baseAddress))
    unsafe list.initialize(to: UnsafePointer(cluster))
    // The sizes of working memory depend on the kinds of the reductions.
    for (index, reduction) in plan.reductions.enumerated() {
      unsafe reductions[index] = leak_reduction(reduction, result: nil)
    }
  }

  deinit {
    // Safe: allocated by init and owned by this object alone; all are trivial types.
    unsafe slots.deallocate()
    unsafe loads.deallocate()
    unsafe steps.deallocate()
    unsafe reductions.deallocate()
    unsafe cluster.deallocate()
    unsafe list.deallocate()
  }

  var scratch: Int {
    // Safe: the list holds one pass, described above.
    unsafe leak_clusters_scratch(list, 1, Int32(plan.threads))
  }

  func bind(_ addresses: Addresses) {
    // Safe: indices run over what init allocated; the arena holds each storage.
    for (index, slot) in plan.slots.enumerated() {
      switch slot {
      case .memory(let storage):
        unsafe slots[index] = leak_slot(
          place: Int32(leak_slot_memory.rawValue), index: 0, base: addresses[storage])
      case .scalar(let storage):
        unsafe slots[index] = leak_slot(
          place: Int32(leak_slot_scalar.rawValue), index: 0, base: addresses[storage])
      case .register(let register):
        unsafe slots[index] = leak_slot(
          place: Int32(leak_slot_register.rawValue), index: Int32(register), base: nil)
      }
    }
    let size = plan.isDouble ? 8 : 4
    for (index, load) in plan.loads.enumerated() {
      var bound = unsafe leak_load()
      if let storage = load.storage {
        unsafe bound.base = UnsafeRawPointer(addresses[storage] + load.access.offset * size)
      }
      unsafe bound.slot = Int32(load.slot)
      unsafe bound.rank = Int32(load.access.extents.count)
      unsafe bound.once = load.once ? 1 : 0
      unsafe withUnsafeMutableBytes(of: &bound.extents) { unsafe $0.store(load.access.extents) }
      unsafe withUnsafeMutableBytes(of: &bound.strides) { unsafe $0.store(load.access.strides) }
      unsafe loads[index] = bound
    }
    for (index, reduction) in plan.reductions.enumerated() {
      unsafe reductions[index] = leak_reduction(reduction, result: addresses[reduction.storage])
    }
    unsafe memory = addresses.scratch
  }

  func run() {
    // Safe: bound to an arena that outlives the step.
    unsafe leak_clusters_run(list, 1, Int32(plan.threads), memory)
  }
}

extension leak_reduction {
  fileprivate init(_ reduction: ClusterPlan.Reduction, result: UnsafeMutableRawPointer?) {
    let kind: leak_reduction_kind =
      switch reduction.fold.kind {
      case .all: leak_reduce_all
      case .rows: leak_reduce_rows
      case .columns: leak_reduce_columns
      }
    let fold = reduction.fold.isMaximum ? leak_fold_maximum : leak_fold_sum
    unsafe self.init(
      kind: Int32(kind.rawValue), fold: Int32(fold.rawValue), slot: Int32(reduction.slot),
      result: result)
  }
}
