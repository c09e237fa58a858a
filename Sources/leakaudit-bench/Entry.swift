internal import Benchmarking
internal import CPUBackend
internal import Checkpoints
internal import Glibc

/// Our side of `make bench`: a child process that answers JSON lines.
@main
enum Entry {
  static func main() {
    ReadingChild.runIfRequested(CommandLine.arguments)
    let session = Session { CPUBackend(threads: $0) }
    while let line = readLine() {
      print(session.answer(line))
      fflush(nil)
    }
  }
}
