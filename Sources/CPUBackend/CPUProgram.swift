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
    var isBound = false
    /// Memory that holds the elements only until what follows from them is computed.
    var staging: Memory?
    var isStaged: Bool
  }

  private let isDouble: Bool
  private let threads: Int
  private var inputs: [String: Input] = [:]
  private var outputs: [String: (storage: Int, count: Int)] = [:]
  private let addresses: Addresses
  /// The storage that each storage shares memory with.
  private let home: [Int]
  /// What runs when parameters were bound, and which inputs each step depends on.
  private let preparation: [(step: any Step, inputs: Set<Int>)]
  private let steps: [any Step]
  /// Outputs that are copied into inputs behind the last step.
  private let carried: [(from: Int, to: Int, bytes: Int)]
  /// Storages of inputs bound since the last run.
  private var isNew: Set<Int> = []

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
      let bytes = elements.count * (isDouble ? 8 : 4)
      guard let staging = input.staging ?? (try? Memory(bytes: bytes)) else {
        preconditionFailure("no memory for '\(name)'")
      }
      input.staging = staging
      unsafe write(elements, staging.address(0))
    } else {
      unsafe write(elements, addresses[input.storage])
    }
    input.isBound = true
    inputs[name] = input
    isNew.insert(input.storage)
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
    if let missing = inputs.filter({ !$0.value.isBound }).keys.min() {
      throw BackendError("the input '\(missing)' was never bound")
    }
    var staged = addresses
    for input in inputs.values {
      if let staging = input.staging { staged.staging[input.storage] = staging }
    }
    for (step, sources) in preparation where !sources.isDisjoint(with: isNew) {
      try step.bind(staged)
      try step.run()
    }
    for name in inputs.keys { inputs[name]?.staging = nil }
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
}
