/// Visits the states of a sequence of steps from its end, where only the first state is given and few
/// can be kept.
///
/// What lies between kept states is computed again, as seldom as their number allows.
///
/// - Source: Griewank & Walther, *Algorithm 799: Revolve*, ACM Transactions on Mathematical Software
///   26, 2000. Their `s` counts the first state, too.
package struct ReversalSchedule: Hashable, Sendable {
  /// States that are kept at a time, besides the first and the one at work.
  package let snapshots: Int

  /// - Precondition: Not negative.
  package init(snapshots: Int) {
    precondition(snapshots >= 0, "states are kept or not")
    self.snapshots = snapshots
  }

  /// - Parameters:
  ///   - steps: How many there are; states `0 ..< steps` are visited, the last first.
  ///   - start: State 0.
  ///   - advance: Makes state `t + 1` of state `t`.
  ///   - visit: Receives state `t` and `t`.
  /// - Throws: What `advance` or `visit` throws.
  /// - Complexity: With `s` states besides the first, fewer than `r · steps` advances, where `r` is
  ///   the smallest number with `(s + 1 + r)! / ((s + 1)! r!) ≥ steps`.
  package func run<State, Failure: Error>(
    steps: Int, from start: State,
    advance: (inout State, Int) throws(Failure) -> Void,
    visit: (State, Int) throws(Failure) -> Void
  ) throws(Failure) {
    guard steps > 0 else { return }
    try run(0..<steps, from: start, snapshots, advance, visit)
  }

  private func run<State, Failure: Error>(
    _ steps: Range<Int>, from start: State, _ free: Int,
    _ advance: (inout State, Int) throws(Failure) -> Void,
    _ visit: (State, Int) throws(Failure) -> Void
  ) throws(Failure) {
    var end = steps.upperBound
    while end - steps.lowerBound > 1 {
      let middle = steps.lowerBound + Self.leap(over: end - steps.lowerBound, kept: free + 1)
      var state = start
      for step in steps.lowerBound..<middle { try advance(&state, step) }
      try run(middle..<end, from: state, free - 1, advance, visit)
      end = middle
    }
    try visit(start, steps.lowerBound)
  }

  /// How far the next kept state is from the last one.
  ///
  /// With `β(s, r) = (s + r)! / (s! r!)` and `β(s, r − 1) < steps ≤ β(s, r)`, it is optimal as long as
  /// neither part needs more repetitions than `r − 1` in front and `r` behind.
  ///
  /// - Parameters:
  ///   - steps: How many there are, 2 at least.
  ///   - kept: `s`, the state from which the steps start included; with 1, none is left.
  /// - Returns: From 1 to `steps` − 1.
  private static func leap(over steps: Int, kept: Int) -> Int {
    guard kept > 1 else { return steps - 1 }
    // β(s, r − 1), β(s, r) and β(s − 1, r − 1) for r = 1, 2, ….
    var (before, now, behind) = (1, kept + 1, 1)
    var repetitions = 1
    while now < steps {
      behind = behind * (kept - 1 + repetitions) / repetitions
      repetitions += 1
      (before, now) = (now, now * (kept + repetitions) / repetitions)
    }
    return min(before, steps - behind)
  }
}
