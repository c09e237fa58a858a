internal import AuditModel

/// The per-layer table.
enum MarkdownLayers {
  /// The most layers that get a row each; beyond, equal ones share a row that says how many.
  private static let longestTable = 60

  static func lines(_ layers: [LayerSummary]) -> [String] {
    var lines = ["## Layers", ""]
    guard !layers.isEmpty else { return lines + ["No layer was described by these files."] }
    let groups =
      layers.count > longestTable ? groups(of: layers) : layers.map { Group(layers: [$0]) }
    let total = DisplayedNumber.counted(layers.count, "layer")
    if groups.count < layers.count {
      lines += [
        "\(total). Layers of one file that agree in kind, leak, condition and reason share a row "
          + "with their first and last name; the JSON report lists each.", "",
      ]
    } else {
      lines += ["\(total).", ""]
    }
    var table = MarkdownTable([
      .init("File"), .init("Layer"), .init("Kind"), .init("Parameters", isNumeric: true),
      .init("Leak"), .init("Condition"), .init("Reason"),
    ])
    for group in groups {
      table.add([
        Escaped.cell(name: group.first.artifact), group.names,
        Escaped.cell(text: group.first.kind), group.parameters, word(group.first.leak),
        Escaped.cell(text: group.first.condition), Escaped.cell(text: group.first.reason),
      ])
    }
    let hasManyFiles = Set(layers.map(\.artifact)).count > 1
    lines += table.keeping { hasManyFiles || $0.heading != "File" }.lines
    let used = LayerLeak.allCases.filter { leak in layers.contains { $0.leak == leak } }
    return lines + [""] + used.map { "- \(word($0)): \(meaning($0))" }
  }

  /// Layers that share a row; never empty.
  private struct Group {
    var layers: [LayerSummary]

    var first: LayerSummary { layers[0] }

    var names: String {
      let name = Escaped.cell(name: first.name)
      guard layers.count > 1 else { return name }
      let last = Escaped.cell(name: layers[layers.count - 1].name)
      return "\(DisplayedNumber.grouped(layers.count)) layers: \(name) … \(last)"
    }

    /// The sum, or a dash where hostile counts overflow it.
    var parameters: String {
      var sum = 0
      for layer in layers {
        let (next, overflows) = sum.addingReportingOverflow(layer.parameters)
        guard !overflows else { return "–" }
        sum = next
      }
      return DisplayedNumber.grouped(sum)
    }
  }

  /// The layers by what a row says of them, each group at the place of its first layer.
  private static func groups(of layers: [LayerSummary]) -> [Group] {
    var places: [[String]: Int] = [:]
    var groups: [Group] = []
    for layer in layers {
      let key = [layer.artifact, layer.kind, layer.leak.rawValue, layer.condition, layer.reason]
      if let place = places[key] {
        groups[place].layers.append(layer)
      } else {
        places[key] = groups.count
        groups.append(Group(layers: [layer]))
      }
    }
    return groups
  }

  private static func word(_ leak: LayerLeak) -> String {
    switch leak {
    case .exact, .subspace, .partial: "**\(leak.rawValue)**"
    case .none, .inconclusive: leak.rawValue
    case .notAnalysed: "not analysed"
    }
  }

  private static func meaning(_ leak: LayerLeak) -> String {
    switch leak {
    case .exact: "the gradient determines the layer's input."
    case .subspace: "the gradient determines the layer's input up to a factor or a subspace."
    case .partial:
      "some samples or entries are determined, or all of them with a stated error."
    case .none: "the layer was examined; its gradient determines nothing about its input."
    case .inconclusive: "something prevented a judgement; do not read this as none."
    case .notAnalysed: "the layer was not examined; do not read this as none."
    }
  }
}
