internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a dense layer whose rows repeat one direction with different biases.
struct ImprintRows: Rule {
  private static let leastRows = Threshold(
    "rows", 8, "parallel rows (|cos| at least 0.999) with biases of their own")
  private static let leastInputs = Threshold(
    "inputs", 16, "inputs of the layer; in few dimensions directions coincide by chance")

  static let metadata = RuleMetadata(
    identifier: "imprint-rows",
    title: "Rows of a dense layer repeat one direction with different biases",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      Units that measure the same quantity against a ladder of biases sort the samples of a batch \
      into bins. The difference of the gradients of two neighbouring units is the gradient of the \
      samples in the bin between them, and a sample that is alone in its bin is read exactly. \
      With K bins of equal weight B(1 − 1/K)^(B−1) of B samples are expected to be alone. No \
      initialiser draws parallel rows, and no training makes them.
      """,
    formula: "x = (W̄ₖ − W̄ₖ₊₁) / (b̄ₖ − b̄ₖ₊₁) for a sample alone between two biases",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: """
      Without the ladder only samples with a ReLU unit of their own are read from a batch. What was \
      sent already stays disclosed.
      """,
    sources: [.robbingTheFed, .loki, .dishonestServers],
    thresholds: [leastRows, leastInputs],
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("equal rows without a ladder") { weights in
          let row = Array(weights["hidden", .weight].prefix(64))
          weights.setRows(of: "hidden") { _, _, _ in row }
          weights["hidden", .bias] = Array(repeating: 0, count: 32)
        },
        .drawn("one input", input: [1], ["hidden": Dense(outputs: 32)]),
      ],
      failing: [
        (
          .drawnPerceptron("means against normal quantiles") { weights in
            weights.setRows(of: "hidden") { _, _, _ in Array(repeating: 1.0 / 64, count: 64) }
            weights["hidden", .bias] = (1...32).map {
              -0.5 - 0.1 * NormalQuantile.value(Double($0) / 33)
            }
          }, "hidden"
        ),
        (
          .drawnPerceptron("half of the units, scaled") { weights in
            let direction = Array(weights["hidden", .weight].prefix(64))
            weights.setRows(of: "hidden") { index, old, _ in
              index.isMultiple(of: 2) ? direction.map { $0 * Double(1 + index) } : old
            }
          }, "hidden"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { Double($0.offsets.count) >= value(of: Self.leastRows, in: subject) }
      .map { finding(at: $0, in: subject) }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map {
      statistic(
        Double($0.offsets.count), Self.leastRows, at: subject.network.nodes[$0.node].name)
    }
  }

  private func sites(in subject: Subject) -> [ImprintSite] {
    ImprintSite.all(in: subject, columns: value(of: Self.leastInputs, in: subject))
  }

  private func finding(at site: ImprintSite, in subject: Subject) -> Finding {
    let name = subject.network.nodes[site.node].name
    let all = subject.parameters?.matrix(site.node)?.view.rows ?? site.rows.count
    let fit = site.fit
    let columns = site.equalColumns(in: subject)
    let law = fit.correlation >= 0.99 ? ", spaced like \(fit.law) quantiles" : ""
    let behind =
      columns.map {
        " The columns of '\($0)' behind it are equal, so that every unit passes the "
          + "same gradient back."
      } ?? ""
    return finding(
      in: subject, at: name,
      message: """
        \(site.rows.count) of \(all) rows of '\(name)' point the same way and have \
        \(site.offsets.count) different biases\(law): gradients of neighbouring units differ by the \
        samples between their biases alone, which are then read exactly.\(behind)
        """,
      measurements: [
        .init("parallel rows", "\(site.rows.count)"),
        .init("different biases", "\(site.offsets.count)"),
        .init("correlation with \(fit.law) quantiles", fit.correlation.displayed),
        .init("equal columns behind", columns ?? "no"),
      ],
      preconditions: [
        "A gradient or an update of this model is seen.",
        "Samples differ in the quantity that the rows measure by more than the biases do.",
      ])
  }
}
