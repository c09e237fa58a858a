internal import ArgumentParser
internal import Checkpoints

/// How much of a file may be held, and the reader that keeps to it.
struct MemoryLimit: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Ceiling for the numbers of one file, such as 4GiB or 512MiB.", valueName: "size"))
  var maxMemory: ByteCount = ByteCount(value: 4 << 30)

  var reader: CheckpointReader {
    CheckpointReader(sandbox: SandboxedReader(memoryLimit: maxMemory.value))
  }
}
