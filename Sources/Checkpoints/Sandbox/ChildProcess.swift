internal import CSystem
internal import Glibc

/// A process with an empty environment, given descriptors from 3 on, and a deadline.
struct ChildProcess {
  var executable: String
  var arguments: [String]
  /// Become descriptors 3, 4, … of the child.
  var descriptors: [Int32]
  /// The file the child works on, for errors.
  var path: String

  /// The largest answer that is accepted.
  private static let answerLimit = 512 << 20

  /// Runs the process and returns what it wrote on its standard output.
  ///
  /// - Throws: ``CheckpointError`` if the process crashes, fails or is not done in time.
  func output(seconds: Int) throws(CheckpointError) -> [UInt8] {
    var ends: [Int32] = [-1, -1]
    // Safe, here and below: arrays and structures outlive the calls that read them.
    guard unsafe csystem_pipe(&ends) == 0 else { throw failure("no pipe is available") }
    let (readEnd, writeEnd) = (ends[0], ends[1])
    defer { close(readEnd) }
    let process = spawn(output: writeEnd)
    close(writeEnd)
    guard let process else { throw failure("its process could not be started") }
    let answer = Self.collect(from: readEnd, seconds: seconds)
    if answer == nil { kill(process, SIGKILL) }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard let answer else { throw CheckpointError(.readerTimedOut(seconds: seconds), file: path) }
    let signal = status & 0x7f
    if signal == SIGXCPU || signal == SIGKILL {
      throw CheckpointError(.readerTimedOut(seconds: seconds), file: path)
    }
    guard signal == 0 else { throw failure("the HDF5 library ended with signal \(signal)") }
    guard (status >> 8) & 0xff == 0 else {
      throw failure("the reading process ended with code \((status >> 8) & 0xff)")
    }
    return answer
  }

  private func failure(_ detail: String) -> CheckpointError {
    CheckpointError(.readerCrashed(detail: detail), file: path)
  }

  private func spawn(output: Int32) -> pid_t? {
    var actions = unsafe posix_spawn_file_actions_t()
    guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    // Copies far above the targets, so that no target overwrites a source.
    let sources = ([output] + descriptors).map { fcntl($0, F_DUPFD_CLOEXEC, 64) }
    defer { for source in sources { close(source) } }
    guard sources.allSatisfy({ $0 >= 0 }) else { return nil }
    let targets = [1] + descriptors.indices.map { Int32($0) + 3 }
    for (source, target) in zip(sources, targets) {
      unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    // Nothing of the caller's environment reaches the library: it reads HDF5_* variables. OpenBLAS
    // would start a thread for every processor, whose stacks count against the child's memory.
    var environment = unsafe [
      strdup("SWIFT_BACKTRACE=enable=no"), strdup("OPENBLAS_NUM_THREADS=1"), nil,
    ]
    var words = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let status = unsafe posix_spawn(&process, executable, &actions, nil, &words, &environment)
    return status == 0 ? process : nil
  }

  /// Everything up to the end of the stream, or `nil` if that takes too long.
  private static func collect(from descriptor: Int32, seconds: Int) -> [UInt8]? {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let left = (deadline - .now) / .milliseconds(1)
      guard left > 0, answer.count <= answerLimit else { return nil }
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&wait, 1, Int32(min(left, 60_000)))
      if ready == 0 || (ready < 0 && errno == EINTR) { continue }
      let count = unsafe read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count == 0 ? answer : nil }
      answer += buffer.prefix(count)
    }
  }
}
