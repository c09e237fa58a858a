internal import Checkpoints
internal import Networks
internal import Tensors

/// The start of a workload, which the peer wrote: parameters, statistics, target gradient, input.
struct Start {
  let path: String
  private let file: MappedFile
  private let container: Container

  /// - Throws: ``BenchmarkError`` if there is no `start.h5` that `reader` can read.
  init(folder: String, reader: String) throws(BenchmarkError) {
    path = folder + "/start.h5"
    do throws(CheckpointError) {
      file = try MappedFile(path: path)
      container = try SandboxedReader(executable: reader)
        .read(file, range: 0..<file.count, path: path)
    } catch {
      throw BenchmarkError(error.description)
    }
  }

  /// Gives back the memory that reading took; tensors stay valid.
  func releaseMemory() { file.releaseMemory() }

  /// The numbers of a dataset.
  func tensor(_ name: String) throws(BenchmarkError) -> Tensor {
    guard let tensor = container.tensor(name) else {
      throw BenchmarkError("\(path) has no numbers called '\(name)'")
    }
    return tensor
  }

  /// A parameter and, if one exists, the target's gradient in it, under PyTorch's names.
  func parameter(
    _ node: String, _ role: ParameterRole
  ) throws(BenchmarkError) -> (value: Tensor, target: Tensor?) {
    let name = "\(node).\(role.pyTorchName)"
    guard role.isTrainable else { return (try tensor("statistics/" + name), nil) }
    return (try tensor("parameters/" + name), try tensor("target/" + name))
  }
}

extension ParameterRole {
  /// The last part of the name that PyTorch gives it.
  fileprivate var pyTorchName: String {
    switch self {
    case .scale: "weight"
    case .shift: "bias"
    case .runningVariance: "running_var"
    default: description
    }
  }
}
