import CloudCore
import Drivers
package import HostModel

extension Agent {
    /// Takes off the host what runs there, and leaves what is wanted as it is: the next agent of the same folder starts it all again.
    /// Nobody must keep the host meanwhile.
    ///
    /// - Parameter graceSeconds: how long each guest has to stop; all of them at the same time.
    /// - Returns: the machines that were stopped.
    package func clear(graceSeconds: Int) async throws -> [MachineID] {
        let up = try await driver.list().filter { $0.power == .running || $0.power == .paused }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for machine in up {
                group.addTask {
                    try await self.lanes.run(machine.id) {
                        // First: a machine that is off and was to be on is started, whoever stopped it.
                        try self.desired.update(machine.id.text) { $0.isSettled = $0.isSettled && $0.power != .running && $0.power != .paused }
                        try await self.driver.setPower(machine.id, to: .off(graceSeconds: graceSeconds), fence: machine.fence)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await networks?.removeAll()
        return up.map(\.id)
    }
}
