package import Foundation

/// The data that one host packs so that another can go on with a machine.
package struct MachineLuggage: Hashable, Sendable, Codable {
    /// The `MachineDriver.kind` of the driver that packed it; no other kind can read it.
    package var driver: String
    /// The data that the driver needs besides the specification.
    package var state: Data

    package init(driver: String, state: Data) {
        self.driver = driver
        self.state = state
    }
}
