// swift-tools-version: 6.2

import PackageDescription

/// The settings of every Swift target, tests included.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
// Warnings are errors for us and in CI, never for a user with a newer compiler.
let settings =
  Context.environment["LEAKAUDIT_STRICT"] == nil
  ? strict : strict + [.treatAllWarnings(as: .error)]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "leakaudit",
  products: [.executable(name: "leakaudit", targets: ["leakaudit"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // MARK: - System libraries
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSystem"),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

    .target(
      name: "COneDNN",
      // Vectors in portable C are slow unless optimised, and tests compute with them.
      cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))],
      linkerSettings: [
        .linkedLibrary("dnnl"), .linkedLibrary("openblas"), .linkedLibrary("gomp"),
        .linkedLibrary("m"),
      ]),

    .target(
      name: "CLAPACK", linkerSettings: [.linkedLibrary("openblas"), .linkedLibrary("m")]),

    // MARK: - Vocabulary (no dependencies)
    .target(name: "AuditModel", swiftSettings: settings),
    .target(name: "Tensors", swiftSettings: settings),
    .target(name: "TensorIR", swiftSettings: settings),
    .target(name: "LinearAlgebra", dependencies: ["CLAPACK"], swiftSettings: settings),

    // MARK: - Knowledge
    .target(
      name: "Networks", dependencies: ["TensorIR", "Tensors"], swiftSettings: settings),
    .target(
      name: "Checkpoints",
      dependencies: [
        "CHDF5", "CLibcrypto", "CSystem", "AuditModel", "Networks", "Tensors",
      ],
      swiftSettings: settings),
    .target(
      name: "Attacks",
      dependencies: ["AuditModel", "LinearAlgebra", "Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .target(
      name: "Simulation", dependencies: ["Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .target(
      name: "Rules", dependencies: ["AuditModel", "LinearAlgebra", "Networks", "Tensors"],
      swiftSettings: settings),
    .target(
      name: "Settings",
      dependencies: ["AuditModel", "Rules", .product(name: "Yams", package: "Yams")],
      swiftSettings: settings),
    .target(name: "Reports", dependencies: ["AuditModel", "CPNG"], swiftSettings: settings),

    .target(
      name: "CPUBackend", dependencies: ["COneDNN", "TensorIR"], swiftSettings: settings),

    // MARK: - The audit
    .target(
      name: "Auditing",
      dependencies: [
        "AuditModel", "Attacks", "Checkpoints", "Networks", "Reports", "Rules", "Settings",
        "Simulation",
        "TensorIR", "Tensors",
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "leakaudit",
      dependencies: ["Auditing", "CPUBackend", "Simulation", "Tensors", argumentParser],
      swiftSettings: settings),

    // MARK: - Benchmarks
    .target(
      name: "Benchmarking",
      dependencies: ["Attacks", "Checkpoints", "Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .executableTarget(
      name: "leakaudit-bench", dependencies: ["Benchmarking", "CPUBackend", "Checkpoints"],
      swiftSettings: settings),

    // MARK: - Tests
    .testTarget(name: "AuditModelTests", dependencies: ["AuditModel"], swiftSettings: settings),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"], swiftSettings: settings),
    .testTarget(name: "TensorIRTests", dependencies: ["TensorIR"], swiftSettings: settings),
    .testTarget(
      name: "LinearAlgebraTests", dependencies: ["LinearAlgebra"], swiftSettings: settings),
    .testTarget(
      name: "CPUBackendTests",
      dependencies: ["Attacks", "COneDNN", "CPUBackend", "Networks", "TensorIR"],
      swiftSettings: settings),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .testTarget(
      name: "AgreementTests",
      dependencies: ["CPUBackend", "Checkpoints", "Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .testTarget(
      name: "AttacksTests",
      dependencies: [
        "AuditModel", "Attacks", "CPUBackend", "LinearAlgebra", "Networks", "Simulation",
        "TensorIR", "Tensors",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "CPUBackend", "Checkpoints", "Networks", "Simulation", "TensorIR", "Tensors",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "Networks", "TensorIR", "Tensors"],
      swiftSettings: settings),
    .testTarget(
      name: "RulesTests", dependencies: ["AuditModel", "Networks", "Rules", "Tensors"],
      swiftSettings: settings),
    .testTarget(
      name: "SettingsTests", dependencies: ["AuditModel", "Rules", "Settings"],
      swiftSettings: settings),
    .testTarget(
      name: "ReportsTests", dependencies: ["AuditModel", "Reports"], exclude: ["Golden"],
      swiftSettings: settings),
    .testTarget(
      name: "AuditingTests",
      dependencies: [
        "Attacks", "AuditModel", "Auditing", "CPUBackend", "Checkpoints", "Networks", "Reports",
        "Settings", "Tensors",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "BenchmarkingTests",
      dependencies: ["Benchmarking", "TensorIR", "leakaudit"],
      swiftSettings: settings),
    .testTarget(name: "EndToEndTests", dependencies: ["leakaudit"], swiftSettings: settings),
  ]
)
