internal import TensorIR

/// What a program is made of: steps, addresses and the storages of inputs and outputs.
struct ProgramPlan {
  struct Input {
    var storage: Int
    var count: Int
    /// Whether its elements are needed only while it is bound: what follows from them is computed
    /// at once, and nothing else reads them.
    var isStaged: Bool
  }

  /// A step that runs once per binding.
  struct Preparation {
    var step: any Step
    /// The storages of the inputs and constants that it depends on, through any number of steps.
    var roots: Set<Int>
    /// The staged input that it reads, if it does.
    var staged: Int?
  }

  private(set) var inputs: [String: Input] = [:]
  private(set) var outputs: [String: (storage: Int, count: Int)] = [:]
  private(set) var constants: [(storage: Int, elements: [Double])] = []
  private(set) var preparation: [Preparation] = []
  let steps: [any Step]
  private(set) var carried: [(from: Int, to: Int, bytes: Int)] = []
  let home: [Int]
  let addresses: Addresses

  init(_ graph: Graph, _ lowering: Lowering, _ planner: Planner) throws(BackendError) {
    steps = planner.steps.filter { !$0.isConstant }.map(\.step)
    let prepared = planner.steps.filter(\.isConstant).map(\.step)
    var storages = planner.storages
    let storageOf = { (value: Value) in planner.places[lowering[value].item][0].storage }
    let inputStorages = Set(graph.inputs.map { storageOf($0.value) })
    for (index, item) in planner.items.enumerated() {
      guard let storage = planner.places[index].first?.storage else { continue }
      switch item.form {
      case .constant(let number): constants.append((storage, [number]))
      case .table(let elements): constants.append((storage, elements))
      default: break
      }
    }
    preparation = Self.preparation(
      prepared, roots: inputStorages.union(constants.map(\.storage)))
    for input in graph.inputs {
      let storage = storageOf(input.value)
      let isRead = steps.contains { $0.reads.contains(storage) }
      let isCarried = graph.outputs.contains { $0.carriedInto == input.value }
      let isAlone = preparation.allSatisfy { prepared in
        !prepared.step.reads.contains(storage)
          || prepared.roots.isDisjoint(with: inputStorages.subtracting([storage]))
      }
      let isStaged = input.kind == .parameter && !isRead && !isCarried && isAlone
      if isStaged {
        storages[storage].bytes = 0
        for index in preparation.indices where preparation[index].step.reads.contains(storage) {
          preparation[index].staged = storage
        }
      }
      inputs[input.name] = Input(
        storage: storage, count: input.value.type.elementCount, isStaged: isStaged)
    }
    // Outputs and carried state.
    var links: [(output: Int, input: Int)] = []
    for (number, output) in graph.outputs.enumerated() {
      let item = lowering.outputs[number]
      guard let place = planner.places[item].first(where: { $0.format == nil }) else {
        throw BackendError("the output '\(output.name)' was not planned")
      }
      outputs[output.name] = (place.storage, planner.items[item].count)
      if let input = output.carriedInto { links.append((place.storage, storageOf(input))) }
    }
    let lifetimes = Lifetimes(storages, steps: steps, carried: links)
    home = lifetimes.home
    let scratch = planner.steps.map(\.step.scratch).max() ?? 0
    let arena = Arena(lifetimes.separate, scratch: scratch)
    addresses = Addresses(
      memory: try Memory(bytes: arena.bytes), arena: arena, home: lifetimes.home)
    for link in links where home[link.output] != link.input {
      carried.append((link.output, link.input, storages[link.input].bytes))
    }
  }

  /// Stands for what depends on no input and is computed once.
  static let always = -1

  private static func preparation(_ steps: [any Step], roots: Set<Int>) -> [Preparation] {
    var reaching: [Int: Set<Int>] = [:]
    for root in roots { reaching[root] = [root] }
    return steps.map { step in
      var found = step.reads.reduce(into: Set<Int>()) { $0.formUnion(reaching[$1] ?? []) }
      if found.isEmpty { found = [always] }
      for storage in step.writes { reaching[storage, default: []].formUnion(found) }
      return Preparation(step: step, roots: found)
    }
  }
}
