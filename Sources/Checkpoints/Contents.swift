public import Networks
public import Tensors

/// A tensor under the name its file gives it, not yet tied to a layer.
public struct NamedTensor: Sendable {
  /// The path inside the file.
  public var path: String
  /// The parts of the name that say to which layer it belongs, outermost first.
  public var layer: [String]
  public var role: ParameterRole
  public var tensor: Tensor

  public init(path: String, layer: [String], role: ParameterRole, tensor: Tensor) {
    self.path = path
    self.layer = layer
    self.role = role
    self.tensor = tensor
  }

  /// Reads layer and role off a name such as `mlp/fc1/kernel:0` or `body.0.weight`.
  package init(path: String, name: String, tensor: Tensor) {
    var parts = name.split { $0 == "/" || $0 == "." }.map(String.init)
    let last = parts.popLast() ?? name
    let bare = last.split(separator: ":").first.map(String.init) ?? last
    self.init(path: path, layer: parts, role: ParameterRole(named: bare), tensor: tensor)
  }
}

extension ParameterRole {
  /// The role behind the name that Keras, PyTorch or Flax gives a parameter.
  package init(named name: String) {
    self =
      switch name.lowercased() {
      case "kernel", "weight", "weights", "w": .weight
      case "bias", "biases", "b": .bias
      case "gamma", "scale": .scale
      case "beta", "shift": .shift
      case "moving_mean", "running_mean", "mean": .runningMean
      case "moving_variance", "running_var", "running_variance", "running_std", "var":
        .runningVariance
      case "embeddings", "embedding": .embeddings
      default: .other(name)
      }
  }
}

/// How the gradient in a file came about, as far as the file says.
public struct ExchangeFacts: Hashable, Sendable {
  public var batchSize: Int?
  /// `mean` or `sum` over the samples of the batch.
  public var reduction: String?
  public var localSteps: Int?
  public var learningRate: Double?
  /// Samples of the client, of which each local step takes a batch.
  public var samples: Int?
  public var loss: String?
  public var labelSmoothing: Double?
  /// Whether batch normalisation and dropout were in training mode.
  public var isTrainingMode: Bool?

  /// Statements of the file that make no sense, for the pre-flight table.
  public var problems: [String] = []

  public init() {}
}

/// One gradient, update or per-step record in a file.
public struct GradientRecord: Sendable {
  public enum Kind: String, Sendable { case gradient, update }

  /// Where in the file it is, such as `step_000003`; empty if the file holds one only.
  public var label: String
  public var kind: Kind
  public var tensors: [NamedTensor]
  public var facts: ExchangeFacts
}

/// Optimiser state with its tensors.
public struct OptimizerState: Sendable {
  public var name: String
  public var steps: Int?
  public var learningRate: Double?
  /// The slots of each trainable parameter, in file order.
  public var slots: [(slot: OptimizerSummary.Slot, tensor: NamedTensor)]

  public var summary: OptimizerSummary {
    OptimizerSummary(
      name: name, steps: steps, slots: Set(slots.map(\.slot)).sorted(), tensorCount: slots.count)
  }
}

/// What a file means.
public struct Contents: Sendable {
  /// The layout, such as `keras-legacy-h5`.
  public var format: String
  /// The architecture the file states.
  public var architecture: Network?
  public var convention: ParameterTable.Convention
  public var parameters: [NamedTensor] = []
  public var gradients: [GradientRecord] = []
  public var optimizer: OptimizerState?
  public var facts = ExchangeFacts()
  /// Inputs and labels the file itself carries, for evaluation only.
  public var truth: Truth?
  /// What of the file was not understood, and why.
  public var omissions: [Container.Omission] = []
  public var hazards: [Container.Hazard] = []

  init(format: String, convention: ParameterTable.Convention) {
    self.format = format
    self.convention = convention
  }

  /// Whether there is anything an audit could look at.
  public var isEmpty: Bool {
    architecture == nil && parameters.isEmpty && gradients.isEmpty && optimizer == nil
  }
}

/// The samples behind a gradient; no attack can see them.
public struct Truth: Sendable {
  /// Shape `[samples, …]`, in input units.
  public var inputs: Tensor
  /// Class numbers, one per sample, if the file has them.
  public var labels: [Double]?

  public init(inputs: Tensor, labels: [Double]?) {
    self.inputs = inputs
    self.labels = labels
  }
}
