internal import AuditModel
internal import Checkpoints
internal import Simulation
internal import TensorIR

extension Audit {
  /// Audits the gradient that a model has for samples of its owner.
  ///
  /// The samples serve twice: a client is simulated with them, and they are the truth that recoveries
  /// are measured by. Attacks are handed the gradient alone.
  mutating func auditProbe(of model: LoadedFile) {
    var gradient: LoadedFile?
    if let samples = input(.truth)?.file, let backend = request.backend {
      gradient = simulated(model, samples, backend)
    }
    audit(model, gradient: gradient, truth: input(.truth)?.file?.contents.truth)
  }

  private mutating func simulated(
    _ model: LoadedFile, _ samples: LoadedFile, _ backend: any Backend
  ) -> LoadedFile? {
    request.progress("simulating the gradient of \(name(of: samples.path))")
    var protection = Protection()
    protection.noise = request.noise
    do throws(SimulatedExchange.Failure) {
      return try SimulatedExchange(
        model, samples, labels: nil, ClientTraining(), protection, backend: backend
      ).file.loaded(in: samples, label: "simulated")
    } catch {
      skipped.append(
        Skipped(artifact: name(of: error.path), what: "file", why: error.explanation))
      isIncomplete = true
      return nil
    }
  }
}
