public import ArgumentParser
public import AuditModel

/// `--fail-on`.
extension FailThreshold: ExpressibleByArgument {}

/// `--sensitivity`.
extension Sensitivity: ExpressibleByArgument {}

/// `--today`.
extension CalendarDate: ExpressibleByArgument {
  /// A day as `YYYY-MM-DD`.
  public init?(argument: String) { self.init(argument) }
}

/// `--distance`.
extension InversionSettings.Distance: ExpressibleByArgument {}

/// `--optimizer`.
extension InversionSettings.Optimizer: ExpressibleByArgument {}

/// `--precision`.
extension InversionSettings.Precision: ExpressibleByArgument {}
