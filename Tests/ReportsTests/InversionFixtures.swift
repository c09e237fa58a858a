import AuditModel

extension Fixture {
  /// Two attacks on one gradient, one of which fails.
  static let inversions = [
    InversionSummary(
      artifact: "model.h5", source: "gradient (gradient.h5)", attack: .auto,
      start: "what the cascade recovered", settings: InversionSettings(.auto).description,
      samples: 2,
      restarts: [.init(index: 0, iterations: 4_800, objective: 0.00042, isAbandoned: false)],
      iterations: 4_800, objective: 0.00042, gradientMatch: 0.0137, curve: falling,
      stop: "all iterations were taken", seconds: 2.41,
      quality: .init(
        meanSquaredError: [0.004, 0.011], psnr: [24.1, 19.6], greyPSNR: 12.4, meanImagePSNR: 13.3,
        structuralSimilarity: [0.91, 0.78], featureDistance: [0.004, 0.031], identified: 2,
        labelsCorrect: 2)),
    InversionSummary(
      artifact: "model.h5", source: "gradient (gradient.h5)", attack: .dlg,
      start: "standard normal numbers", settings: InversionSettings(.dlg).description, samples: 2,
      restarts: (0..<16).map { index in
        .init(
          index: index, iterations: index < 2 ? 300 : index < 4 ? 150 : 75,
          objective: 3.5 + 0.8 * Double(index), isAbandoned: index >= 2)
      }, iterations: 1_800, objective: 3.5, gradientMatch: 0.97,
      curve: [
        .init(iteration: 0, objective: 812), .init(iteration: 20, objective: 41),
        .init(iteration: 75, objective: 9.8), .init(iteration: 150, objective: 4.1),
        .init(iteration: 300, objective: 3.5),
      ], stop: "the line search found no step", spread: 1.31,
      quality: .init(
        meanSquaredError: [0.12, 0.14], psnr: [9.2, 8.5], greyPSNR: 12.4, meanImagePSNR: 13.3,
        structuralSimilarity: [0.02, -0.01], identified: 1, labelsCorrect: 1)),
  ]

  /// Falls at once, then in steps where the step size does.
  private static let falling: [InversionSummary.Point] = (0...120).map { place in
    let iteration = 40 * place
    let floor =
      iteration < 1_800 ? 0.02 : iteration < 3_000 ? 0.003 : iteration < 4_200 ? 8e-4 : 4.2e-4
    let wobble = 1 + 0.15 * Double((place * 7) % 5 - 2) / 2
    let rest = 0.98 / (1 + Double(iteration * iteration) / 40_000)
    return .init(
      iteration: iteration,
      objective: place == 120 ? 0.00042 : place == 0 ? 0.98 : floor * wobble + rest * 0.02)
  }
}
