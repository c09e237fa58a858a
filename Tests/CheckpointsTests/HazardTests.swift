import Checkpoints
import Foundation
import Testing

@Suite("Hostile containers")
struct HazardTests {
  private func hostile(
    _ name: String, limits: ReadingLimits = ReadingLimits()
  ) throws -> Container {
    try InProcess.container(Place.hostile + "/" + name, limits: limits)
  }

  private func refusals(_ container: Container) -> [String] {
    container.datasetPaths.compactMap { path in
      guard case .refused(_, let reason) = container.datasets[path] else { return nil }
      return "\(path): \(reason)"
    }
  }

  @Test(
    "what points outside the file is recorded and never followed",
    arguments: hostileFiles("links_"))
  func links(name: String) throws {
    let path = Place.hostile + "/" + name
    let file = try MappedFile(path: path)
    let container: Container
    do {
      container = try SandboxedReader(executable: Place.executable)
        .read(file, range: 0..<file.count, path: path)
    } catch {
      // Some are damaged on purpose; what was read of them must not show either.
      #expect(!"\(error)".contains("LEAKAUDIT-SECRET"))
      return
    }
    let lines = container.lines
    #expect(!lines.contains { $0.contains("LEAKAUDIT-SECRET") })
    if name.contains("external") || name.contains("virtual") {
      #expect(
        !container.hazards.isEmpty || !container.omissions.isEmpty || !refusals(container).isEmpty)
    }
  }

  @Test(
    "a hazard names its kind and its target",
    arguments: [
      ("links_external_passwd.h5", .externalLink, "/etc/passwd"),
      ("links_external_sibling.h5", .externalLink, "secret_marker"),
      ("links_storage_hostname.h5", .externalStorage, "/etc/hostname"),
      ("links_storage_sibling.h5", .externalStorage, "secret_marker"),
      ("links_virtual_passwd.h5", .virtualDataset, "/etc/passwd"),
      ("links_virtual_sibling.h5", .virtualDataset, "secret_marker"),
      ("links_user_defined_65.h5", .userDefinedLink, ""),
    ] as [(String, Container.Hazard.Kind, String)])
  func hazards(name: String, kind: Container.Hazard.Kind, target: String) throws {
    let hazards = try hostile(name).hazards
    #expect(
      hazards.contains { $0.kind == kind && $0.target.hasPrefix(target) && !$0.path.isEmpty },
      "\(hazards)")
  }

  @Test("more numbers than the ceiling are refused with the flag that raises it")
  func memoryLimit() throws {
    let path = Place.fixtures + "/torch/state.h5"
    let low = refusals(try InProcess.container(path, limits: ReadingLimits(dataBytes: 1_000)))
    #expect(
      low.contains {
        $0.hasPrefix("fc1.weight: it declares 9.2 KiB") && $0.contains("--max-memory")
      })
    #expect(
      refusals(try InProcess.container(path, limits: ReadingLimits(dataBytes: 20_000))).isEmpty)
  }

  @Test("data that would expand beyond reason is refused before it is decoded")
  func bombs() throws {
    var limits = ReadingLimits()
    (limits.expansion, limits.expansionFloor) = (2, 1_000)
    let found = hostileFiles("sizes_bomb").flatMap { name in
      (try? hostile(name, limits: limits)).map(refusals) ?? []
    }
    #expect(found.contains { $0.contains("decompression bomb") }, "\(found)")
  }

  @Test("limits on depth, objects, attributes and names cut a walk short and say so")
  func limits() throws {
    let nested = Place.fixtures + "/keras/nested.weights.h5"
    func omissions(_ change: (inout ReadingLimits) -> Void) throws -> [String] {
      var limits = ReadingLimits()
      change(&limits)
      return try InProcess.container(nested, limits: limits).omissions.map(\.reason)
    }
    #expect(try omissions { _ in }.isEmpty)
    #expect(try omissions { $0.depth = 2 }.contains("groups are nested deeper than 2"))
    #expect(try omissions { $0.objects = 3 }.contains("the file has more than 3 objects"))
    #expect(try omissions { $0.nameBytes = 4 }.contains("its name is longer than 4 bytes"))
    #expect(
      try omissions { $0.attributesPerObject = 0 }.contains { $0.hasPrefix("only 0 of its") })
    #expect(try omissions { $0.totalAttributeBytes = 1 }.contains("the attributes exceed 1 B"))
    #expect(
      try omissions { $0.attributeBytes = 1 }.contains { $0.hasSuffix("larger than 1 B") })
  }

  @Test("attributes are found though the object's header does not count them")
  func uncountedAttributes() throws {
    let container = try hostile("layouts_own_number.h5")
    #expect(container.number("leakaudit_layout") == 999)
    #expect(container.text("architecture") != nil)
  }

  @Test("bytes that are no HDF5 are a failure, not a crash")
  func garbage() throws {
    let scratch = try Place.Scratch()
    let whole = try Data(contentsOf: URL(filePath: Place.fixtures + "/torch/state.h5"))
    for count in [8, 9, 48, 96, 97, 512, 1_000, whole.count / 2] {
      let path = try scratch.file("cut.h5", Array(whole.prefix(count)))
      #expect(throws: InProcess.Damaged.self, "\(count)") { _ = try InProcess.container(path) }
    }
  }
}

/// The committed hostile HDF5 files of one topic.
private func hostileFiles(_ prefix: String) -> [String] {
  let all = try? FileManager.default.contentsOfDirectory(atPath: Place.hostile)
  return (all ?? []).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".h5") }.sorted()
}
