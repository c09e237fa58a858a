internal import ArgumentParser

/// What the person at the keyboard knows beyond the files, and how long to try.
struct KnownFacts: ParsableArguments {
  // Each takes the next word whatever it begins with, so that a minus gets the message it deserves.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Standard deviation of noise known to be in every entry of the gradient or update, in its units.",
      discussion: """
        An absolute number such as 1e-5, not a share of the gradient. Equations are weighted by it; a \
        proof does not get easier.
        """,
      valueName: "sigma"))
  var noise: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Between which values every input value lies, such as 0,1 or -2.2,2.7; unknown by default.",
      valueName: "low,high"),
    transform: range)
  var inputRange: ClosedRange<Double>?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Ceiling for solving all equations at once; what it cuts short may differ between machines.",
      valueName: "seconds"))
  var timeLimit: Double?

  /// Refuses noise in nothing; `hasObservation` claims that there is a gradient or an update.
  func validate(hasObservation: Bool) throws {
    guard noise == nil || hasObservation else {
      throw ValidationError(
        "--noise is about a gradient or an update, but none was given; a --gradient, a --probe or "
          + "--before with --after is needed.")
    }
  }

  func validate() throws {
    guard noise.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--noise must be a number above 0, such as 1e-5.")
    }
    guard timeLimit.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--time-limit must be a number of seconds above 0, such as 60.")
    }
  }
}

/// Two finite numbers with a comma between, the first below the second.
@Sendable private func range(_ text: String) throws -> ClosedRange<Double> {
  let bounds = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
  guard bounds.count == 2, let low = bounds[0], let high = bounds[1], low.isFinite, high.isFinite,
    low < high
  else { throw ValidationError("two numbers are needed, the lower one first, such as 0,1.") }
  return low...high
}
