import Foundation

/// The settings of tests from their environment.
package enum TestSettings {
    package static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }

    /// The seed of randomised tests: a new one at each run, unless `NOVELLA_SIMULATION_SEED` names one.
    package static let freshSeed: UInt64 = number("NOVELLA_SIMULATION_SEED") ?? UInt64.random(in: 2...UInt64(UInt32.max))
}
