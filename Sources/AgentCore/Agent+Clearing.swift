import CloudCore
import Drivers
package import HostModel

extension Agent {
    /// Stops the machines on the host and removes its networks. The wanted state stays, so that the next agent of the
    /// same folder starts everything again. `keep` must not run at the same time.
    ///
    /// - Parameter graceSeconds: the seconds in which each guest may stop by itself; all guests stop at the same time.
    /// - Returns: the machines that were stopped.
    package func clear(graceSeconds: Int) async throws -> [MachineID] {
        let up = try await driver.list().filter { $0.power == .running || $0.power == .paused }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for machine in up {
                group.addTask {
                    try await self.lanes.run(machine.id) {
                        // This comes first: a machine that is off and unsettled would be started again, whoever stopped
                        // it.
                        try self.desired.update(machine.id.text) { $0.isSettled = $0.isSettled && $0.power != .running && $0.power != .paused }
                        try await self.driver.setPower(machine.id, to: .off(graceSeconds: graceSeconds), fence: machine.fence)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await networks?.removeAll()
        // Copies begin again with the next agent.
        await volumes?.stop()
        return up.map(\.id)
    }
}
