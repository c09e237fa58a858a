internal import Glibc
internal import Synchronization

/// Ctrl-C while searches run: the first ends them, so that what was found is reported; the second ends
/// the program.
enum Interruption {
  private static let wasAsked = Atomic(false)

  static var isAsked: Bool { wasAsked.load(ordering: .relaxed) }

  /// Listens until the program ends.
  static func listen() {
    // A handler must not be the first to touch what is made on first use.
    guard !isAsked else { return }
    signal(SIGINT) { _ in
      if Interruption.wasAsked.exchange(true, ordering: .relaxed) { _exit(128 + SIGINT) }
    }
  }
}
