package import Foundation

/// What one host gives another so that it can go on with a machine.
package struct MachineLuggage: Hashable, Sendable, Codable {
    /// `MachineDriver.kind` of who has packed it: no other kind can read it.
    package var driver: String
    /// What the driver must know besides the specification.
    package var state: Data

    package init(driver: String, state: Data) {
        self.driver = driver
        self.state = state
    }
}
