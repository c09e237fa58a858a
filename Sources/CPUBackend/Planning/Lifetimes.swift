/// Which storages are one, and when each is alive.
struct Lifetimes {
  private(set) var storages: [Storage]
  /// The storage whose memory each storage has.
  private(set) var home: [Int]

  /// `steps` are those of every run, in order; `carried` are storages of outputs and of the inputs
  /// they are carried into.
  init(
    _ storages: [Storage], steps: [any Step], carried: [(output: Int, input: Int)]
  ) {
    self.storages = storages
    home = Array(storages.indices)
    var (first, last) = ([Int: Int](), [Int: Int]())
    for (position, step) in steps.enumerated() {
      for storage in step.writes where first[storage] == nil { first[storage] = position }
      for storage in step.reads + step.writes { last[storage] = position }
    }
    for (storage, position) in first { self.storages[storage].first = position }
    for (storage, position) in last { self.storages[storage].last = position }
    for (output, input) in carried {
      guard storages[input].life == .permanent, let written = first[output],
        (self.storages[input].last < written
          || canReplace(input, output, in: steps[written])
            && self.storages[input].last == written),
        home[output] == output
      else { continue }
      home[output] = input
      self.storages[output].life = .permanent
    }
    for (position, step) in steps.enumerated() {
      guard let pass = step as? ClusterStep else { continue }
      var taken: Set<Int> = []
      for (read, written) in pass.plan.replacements {
        let source = home[read]
        guard self.storages[source].life == .temporary, home[written] == written,
          self.storages[written].life == .temporary, !taken.contains(source),
          self.storages[source].last == position,
          self.storages[source].bytes == self.storages[written].bytes
        else { continue }
        taken.insert(source)
        home[written] = source
        self.storages[source].last = self.storages[written].last
      }
    }
  }

  private func canReplace(_ input: Int, _ output: Int, in step: any Step) -> Bool {
    guard let pass = step as? ClusterStep else { return false }
    return pass.plan.replacements.contains { $0.read == input && $0.written == output }
  }

  /// The storages that need memory of their own.
  var separate: [Storage] {
    storages.enumerated().map { index, storage in
      home[index] == index ? storage : Storage(bytes: 0, life: .permanent)
    }
  }
}
