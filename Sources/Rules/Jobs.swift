internal import Dispatch
internal import Synchronization

/// Independent pieces of work, several at a time.
enum Jobs {
  /// Maps every item; the order of the result is that of the items.
  ///
  /// - Parameters:
  ///   - items: What to work on.
  ///   - jobs: How many items are worked on at a time, at least one.
  ///   - body: The work.
  /// - Returns: One result per item.
  static func map<Item: Sendable, Result: Sendable>(
    _ items: [Item], jobs: Int, _ body: @Sendable (Item) -> Result
  ) -> [Result] {
    guard jobs > 1, items.count > 1 else { return items.map(body) }
    let next = Mutex(0)
    let results = Mutex([Result?](repeating: nil, count: items.count))
    DispatchQueue.concurrentPerform(iterations: min(jobs, items.count)) { _ in
      while true {
        let index = next.withLock { next in
          defer { next += 1 }
          return next
        }
        guard index < items.count else { return }
        let result = body(items[index])
        results.withLock { $0[index] = result }
      }
    }
    return results.withLock { $0 }.compactMap { $0 }
  }
}
