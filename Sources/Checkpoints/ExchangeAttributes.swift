extension ExchangeFacts {
  /// Reads the attributes of one group; a value that makes no sense is a problem, not a guess.
  package init(attributesOf path: String, in container: Container) {
    batchSize = integer("batch_size", path, container)
    localSteps = integer("local_steps", path, container)
    samples = integer("samples", path, container)
    for name in ["learning_rate", "lr"] {
      guard let rate = container.number(name, of: path) else { continue }
      if rate.isFinite, rate != 0 { learningRate = rate } else { reject(name, "\(rate)") }
    }
    if let name = container.text("reduction", of: path) {
      if name == "mean" || name == "sum" { reduction = name } else { reject("reduction", name) }
    }
    loss = container.text("loss", of: path)
    if let value = container.number("label_smoothing", of: path) {
      if (0..<1).contains(value) {
        labelSmoothing = value
      } else {
        reject("label_smoothing", "\(value)")
      }
    }
    isTrainingMode = container.number("training_mode", of: path).map { $0 != 0 }
  }

  /// Facts of an inner group completed by those of the whole file.
  public func completed(by outer: ExchangeFacts) -> ExchangeFacts {
    var result = self
    result.batchSize = batchSize ?? outer.batchSize
    result.reduction = reduction ?? outer.reduction
    result.localSteps = localSteps ?? outer.localSteps
    result.learningRate = learningRate ?? outer.learningRate
    result.samples = samples ?? outer.samples
    result.loss = loss ?? outer.loss
    result.labelSmoothing = labelSmoothing ?? outer.labelSmoothing
    result.isTrainingMode = isTrainingMode ?? outer.isTrainingMode
    result.problems += outer.problems
    return result
  }

  private mutating func integer(_ name: String, _ path: String, _ container: Container) -> Int? {
    guard let attribute = container.attributes[path]?[name] else { return nil }
    guard case .numbers(let values, _) = attribute, values.count == 1,
      let value = Int(exactly: values[0]), value > 0, value <= 1 << 24
    else {
      reject(name, "\(attribute.text)")
      return nil
    }
    return value
  }

  private mutating func reject(_ name: String, _ value: String) {
    problems.append("attribute '\(name)' is \(value.prefix(80))")
  }
}

extension Container.Attribute {
  /// The value for a message.
  var text: String {
    switch self {
    case .text(let values, let isScalar): isScalar ? values.first ?? "" : "\(values)"
    case .numbers(let values, let isScalar):
      isScalar ? values.first.map { "\($0)" } ?? "" : "\(values)"
    case .unsupported(let reason): reason
    }
  }
}
