import Dispatch

/// Runs independent blocks of work on all cores.
///
/// The partition depends on the problem alone, so a sum over blocks in index order gives the same
/// bits on any number of cores.
enum BlockedLoop {
  /// Splits `0..<count` into ranges of about `grain` items and maps each on some core.
  ///
  /// - Returns: one result per range, in order.
  static func map<Result: Sendable>(
    count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Result
  ) -> [Result] {
    let grain = max(grain, 1)
    let blocks = (count + grain - 1) / grain
    guard blocks > 1 else { return count > 0 ? [body(0..<count)] : [] }
    var results = [Result?](repeating: nil, count: blocks)
    unsafe results.withUnsafeMutableBufferPointer { slots in
      // Safe: every block writes its own slot, and the call returns after all of them.
      nonisolated(unsafe) let slots = unsafe slots
      DispatchQueue.concurrentPerform(iterations: blocks) { block in
        let start = block * grain
        unsafe slots[block] = body(start..<min(start + grain, count))
      }
    }
    return results.compactMap { $0 }
  }
}
