internal import ArgumentParser
internal import AuditModel

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
      "What was subtracted from pictures in 0…1 before they entered the model; one number, or one per channel.",
      discussion: """
        With --input-std it says which inputs are valid pictures, where numerical inversion stays; \
        pictures are saved and measured without the normalisation.
        """,
      valueName: "list"),
    transform: numbers)
  var inputMean: [Double]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What they were divided by then.", valueName: "list"), transform: numbers)
  var inputStd: [Double]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Ceiling for attacks that search, for each gradient; what it cuts short may differ between machines.",
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

  /// How pictures were normalised, if that was stated.
  var inputScale: InputScale? {
    inputMean.flatMap { mean in inputStd.flatMap { InputScale(mean: mean, deviation: $0) } }
  }

  func validate() throws {
    guard (inputMean == nil) == (inputStd == nil) else {
      throw ValidationError("--input-mean and --input-std go together; the missing one is needed.")
    }
    guard inputMean == nil || inputScale != nil else {
      throw ValidationError(
        "--input-mean and --input-std need as many numbers each, one or one per channel, the second "
          + "above 0.")
    }
    guard inputMean == nil || inputRange == nil else {
      throw ValidationError(
        "--input-mean with --input-std states the --input-range; give one of them.")
    }
    guard noise.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--noise must be a number above 0, such as 1e-5.")
    }
    guard timeLimit.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--time-limit must be a number of seconds above 0, such as 60.")
    }
  }
}

/// Finite numbers with commas between.
@Sendable private func numbers(_ text: String) throws -> [Double] {
  let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
  guard numbers.allSatisfy({ $0?.isFinite == true }) else {
    throw ValidationError("numbers with commas between are needed, such as 0.49,0.48,0.45.")
  }
  return numbers.compactMap { $0 }
}

/// Two finite numbers with a comma between, the first below the second.
@Sendable private func range(_ text: String) throws -> ClosedRange<Double> {
  let bounds = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
  guard bounds.count == 2, let low = bounds[0], let high = bounds[1], low.isFinite, high.isFinite,
    low < high
  else { throw ValidationError("two numbers are needed, the lower one first, such as 0,1.") }
  return low...high
}
