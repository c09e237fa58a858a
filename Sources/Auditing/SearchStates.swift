internal import Attacks
package import AuditModel
package import Checkpoints
internal import Synchronization

/// The states of a run's searches, in a file that grows with them.
///
/// Searches that the file holds from elsewhere stay in it.
package final class SearchStates: InversionStore {
  private let path: String
  private let content: Mutex<Content>

  private struct Content {
    var searches: [String: [RestartState]]
    var failure: SearchStateError?
  }

  /// - Throws: ``SearchStateError`` if the file exists but holds something else.
  package init(_ path: String, reader: CheckpointReader) throws(SearchStateError) {
    self.path = path
    let searches = try SearchStateFile.read(path, with: reader)
    content = Mutex(Content(searches: searches))
    // What cannot be written should be known before hours of work.
    if searches.isEmpty { try SearchStateFile.write([:], to: path) }
  }

  package func restarts(of identity: String) -> [RestartState]? {
    content.withLock { $0.searches[identity] }
  }

  package func keep(_ restarts: [RestartState], of identity: String) {
    content.withLock { content in
      content.searches[identity] = restarts
      do throws(SearchStateError) {
        try SearchStateFile.write(content.searches, to: path)
      } catch {
        content.failure = error
      }
    }
  }

  /// Why the last state could not be kept, if so.
  package var failure: SearchStateError? { content.withLock { $0.failure } }
}
