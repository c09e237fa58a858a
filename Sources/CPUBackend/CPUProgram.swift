internal import COneDNN
public import TensorIR

/// A graph planned for this processor.
///
/// A program belongs to one thread at a time. Running it from one and the same thread is best: the
/// pool of threads that it wakes belongs to the caller.
public final class CPUProgram: CompiledProgram {
  private struct Input {
    var storage: Int
    var count: Int
    var isStaged: Bool
    var isBound = false
  }

  private let isDouble: Bool
  private let threads: Int
  private var inputs: [String: Input] = [:]
  private var outputs: [String: (storage: Int, count: Int)] = [:]
  private let addresses: Addresses
  /// The storage that each storage shares memory with.
  private let home: [Int]
  /// What runs when parameters were bound.
  private let preparation: [ProgramPlan.Preparation]
  private let steps: [any Step]
  /// Outputs that are copied into inputs behind the last step.
  private let carried: [(from: Int, to: Int, bytes: Int)]
  /// Storages of inputs bound since the last run.
  private var isNew: Set<Int> = []
  /// What went wrong while an input was bound; the next run reports it.
  private var failure: BackendError?

  /// Bytes that the program holds, staging excluded.
  public var memoryBytes: Int { addresses.memory.bytes }

  init(_ graph: Graph, isDouble: Bool, threads: Int) throws(BackendError) {
    self.isDouble = isDouble
    self.threads = threads
    let lowering = try Lowering(graph)
    let planner = try Planner(lowering, isDouble: isDouble, threads: threads)
    let plan = try ProgramPlan(graph, lowering, planner)
    home = plan.home
    addresses = plan.addresses
    preparation = plan.preparation
    steps = plan.steps
    carried = plan.carried
    for (name, input) in plan.inputs {
      inputs[name] = Input(
        storage: input.storage, count: input.count, isStaged: input.isStaged)
    }
    outputs = plan.outputs
    for step in steps { try step.bind(addresses) }
    for (storage, elements) in plan.constants { unsafe write(elements, addresses[storage]) }
    isNew.formUnion(plan.constants.map(\.storage) + [ProgramPlan.always])
  }

  public func bind(_ elements: [Double], to name: String) {
    guard var input = inputs[name] else { preconditionFailure("no input is called '\(name)'") }
    precondition(elements.count == input.count, "'\(name)' has \(input.count) elements")
    if input.isStaged {
      do throws(BackendError) {
        try stage(elements, input.storage)
      } catch {
        failure = error
      }
    } else {
      unsafe write(elements, addresses[input.storage])
    }
    input.isBound = true
    inputs[name] = input
    isNew.insert(input.storage)
  }

  /// Computes what follows from a parameter directly; after that its elements are not needed.
  private func stage(_ elements: [Double], _ storage: Int) throws(BackendError) {
    let steps = preparation.filter { $0.staged == storage }
    if steps.isEmpty { return }
    leak_set_threads(Int32(threads))
    let memory = try Memory(bytes: elements.count * (isDouble ? 8 : 4))
    unsafe write(elements, memory.address(0))
    var staged = addresses
    staged.staging[storage] = memory
    for prepared in steps {
      try prepared.step.bind(staged)
      try prepared.step.run()
    }
  }

  private func write(_ elements: [Double], _ target: UnsafeMutableRawPointer) {
    // Safe: the storage has as many elements of the program's precision.
    unsafe elements.withUnsafeBufferPointer { source in
      guard let first = source.baseAddress else { return }
      if isDouble {
        unsafe target.copyMemory(from: first, byteCount: source.count * 8)
      } else {
        unsafe leak_narrow(first, target.assumingMemoryBound(to: Float.self), Int64(source.count))
      }
    }
  }

  public func run() throws(BackendError) {
    leak_set_threads(Int32(threads))
    if !isNew.isEmpty { try prepare() }
    for step in steps { try step.run() }
    for (from, to, bytes) in carried {
      // Safe: both storages have so many bytes.
      unsafe addresses[to].copyMemory(from: addresses[from], byteCount: bytes)
    }
  }

  /// Computes what follows from the parameters that were bound.
  private func prepare() throws(BackendError) {
    if let failure { throw failure }
    if let missing = inputs.filter({ !$0.value.isBound }).keys.min() {
      throw BackendError("the input '\(missing)' was never bound")
    }
    for prepared in preparation where prepared.staged == nil {
      if prepared.roots.isDisjoint(with: isNew) { continue }
      try prepared.step.bind(addresses)
      try prepared.step.run()
    }
    isNew = []
  }

  public func elements(of name: String) -> [Double] {
    guard let output = outputs[name] else { preconditionFailure("no output is called '\(name)'") }
    let source = unsafe addresses[output.storage]
    // Safe: the storage has as many elements of the program's precision.
    return unsafe [Double](unsafeUninitializedCapacity: output.count) { buffer, count in
      if let target = buffer.baseAddress {
        if isDouble {
          unsafe UnsafeMutableRawPointer(target).copyMemory(
            from: source, byteCount: output.count * 8)
        } else {
          unsafe leak_widen(
            source.assumingMemoryBound(to: Float.self), target, Int64(output.count))
        }
      }
      count = output.count
    }
  }

  /// The only element of a scalar output of the last run; allocates nothing.
  public func scalar(of name: String) -> Double {
    guard let output = outputs[name] else { preconditionFailure("no output is called '\(name)'") }
    precondition(output.count == 1, "'\(name)' is no scalar")
    let source = unsafe addresses[output.storage]
    // Safe: the storage has an element of the program's precision.
    return isDouble
      ? unsafe source.load(as: Double.self) : Double(unsafe source.load(as: Float.self))
  }

  /// Reads each element once and writes no copy of the output.
  public func add(_ factor: Double, times name: String, to total: inout [Double]) {
    guard let output = outputs[name] else { preconditionFailure("no output is called '\(name)'") }
    precondition(output.count == total.count, "'\(name)' has \(output.count) elements")
    let source = unsafe addresses[output.storage]
    // Safe: the storage has as many elements of the program's precision.
    unsafe total.withUnsafeMutableBufferPointer { total in
      if isDouble {
        let source = unsafe source.assumingMemoryBound(to: Double.self)
        for place in total.indices { unsafe total[place] += factor * source[place] }
      } else {
        let source = unsafe source.assumingMemoryBound(to: Float.self)
        for place in total.indices { unsafe total[place] += factor * Double(source[place]) }
      }
    }
  }
}
