#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// What the kernel says about this process.
enum ProcessMemory {
  /// The most memory that was ever resident, in MiB; 0 where the kernel does not say.
  static var peakMiB: Double {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return 0
    }
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 ? (Double(words[1]) ?? 0) / 1024 : 0
    }
    return 0
  }
}
