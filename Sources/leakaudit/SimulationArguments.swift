internal import ArgumentParser
internal import Simulation
internal import Tensors

/// How the client trains.
struct TrainingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Samples in a step, taken in stated order, the last batch of a pass maybe smaller; all by default.",
      valueName: "n"))
  var batchSize: Int?

  @Option(
    help: ArgumentHelp(
      "Steps, over the batches in turn; 1 by default with a learning rate.", valueName: "n"))
  var localSteps: Int?

  @Option(help: ArgumentHelp("Passes over all samples, instead of steps.", valueName: "n"))
  var localEpochs: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The rate of each step; the file then holds weights after minus before.", valueName: "rate"))
  var learningRate: Double?

  func validate() throws {
    let counts = [
      ("--batch-size", batchSize), ("--local-steps", localSteps), ("--local-epochs", localEpochs),
    ]
    for (name, count) in counts {
      guard count.map({ $0 > 0 && $0 <= 1 << 20 }) ?? true else {
        throw ValidationError("\(name) must be a whole number from 1 to 1048576.")
      }
    }
    guard learningRate.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--learning-rate must be a number above 0, such as 0.1.")
    }
    guard localSteps == nil || localEpochs == nil else {
      throw ValidationError("Give either --local-steps or --local-epochs, not both.")
    }
    for (name, count) in counts where count != nil && learningRate == nil {
      throw ValidationError("\(name) is about local training; --learning-rate is needed too.")
    }
  }

  func value(clippingNorm: Double?) -> ClientTraining {
    var training = ClientTraining()
    training.batchSize = batchSize
    training.clippingNorm = clippingNorm
    if let learningRate {
      training.length =
        localEpochs.map { .epochs($0, learningRate: learningRate) }
        ?? .steps(localSteps ?? 1, learningRate: learningRate)
    }
    return training
  }
}

/// What the client does against leaks, and how it stores what it sends.
struct ProtectionArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Clip each sample's gradient to this Euclidean norm over all parameters before a step averages them.",
      valueName: "norm"))
  var clip: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Add Gaussian noise of this standard deviation to every entry of what is sent, once, in its units.",
      discussion: """
        An absolute number such as 1e-5; it is neither multiplied by a clipping norm nor divided by \
        the samples, as the noise multiplier of DP-SGD would be.
        """,
      valueName: "sigma"))
  var noise: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Keep this share of all entries, the largest in magnitude, such as 0.01; the others become zero.",
      valueName: "share"))
  var sparsify: Double?

  @Option(
    help: ArgumentHelp(
      "Round to float16 or bfloat16, or to int2 … int16: 2^(n-1)-1 equal steps from 0 to the largest entry of each tensor.",
      valueName: "format"))
  var quantize: QuantizationArgument?

  @Option(
    help: ArgumentHelp("Store numbers as float32 or float64.", valueName: "format"),
    completion: .list(["float32", "float64"]))
  var precision: StorageArgument = .float32

  @Option(help: ArgumentHelp("Where the noise starts.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    for (name, value, example) in [("--clip", clip, "1"), ("--noise", noise, "1e-5")] {
      guard value.map({ $0.isFinite && $0 > 0 }) ?? true else {
        throw ValidationError("\(name) must be a number above 0, such as \(example).")
      }
    }
    guard sparsify.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw ValidationError("--sparsify must be a share above 0 and up to 1, such as 0.01.")
    }
  }

  var value: Protection {
    var protection = Protection()
    protection.noise = noise
    protection.keptShare = sparsify
    protection.quantization = quantize?.value
    protection.storage = precision == .float64 ? .float64 : .float32
    protection.seed = seed
    return protection
  }
}

/// `--precision`.
enum StorageArgument: String, ExpressibleByArgument, CaseIterable {
  case float32, float64
}

/// `--quantize`.
struct QuantizationArgument: ExpressibleByArgument {
  let value: Protection.Quantization

  init?(argument: String) {
    switch argument {
    case "float16": value = .format(.float16)
    case "bfloat16": value = .format(.bfloat16)
    default:
      guard argument.hasPrefix("int"), let bits = Int(argument.dropFirst(3)),
        (2...16).contains(bits)
      else { return nil }
      value = .uniform(bits: bits)
    }
  }
}
