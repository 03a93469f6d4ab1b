import CloudCore
import Drivers
import Foundation
import HostModel
import Logging

extension Agent {
    /// Differs after each start of the host.
    package static var kernelBootID: String {
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)) ?? ""
    }

    /// Passes on what happens and looks at everything now and then, until it is cancelled. It begins with all that was left by
    /// the agent before it.
    package func keep() async throws {
        // Before the first look, so that nothing is missed in between.
        let events = driver.events()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await event in events.untilCancelled() { await self.pass(event) } }
            group.addTask {
                var failures = 0
                while true {
                    failures = await self.lookAtAll() ? 0 : failures + 1
                    // After a start of the host its networks come a moment later than its agent, and machines need them.
                    let soon = Duration.seconds(1 << min(failures, 10))
                    try await self.settings.clock.sleep(for: failures == 0 ? self.settings.interval : min(soon, self.settings.interval))
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func pass(_ event: MachineEvent) async {
        hub.send(.event(host, event))
        if let machine = try? await driver.observe(event.machine) { hub.send(.machine(host, machine)) }
    }

    /// Carries out what is wanted and is not yet so, and says what there is.
    ///
    /// - Returns: whether all is as it is wanted.
    @discardableResult
    package func lookAtAll() async -> Bool {
        var isGood = true
        for (id, fence, wanted) in desired.all {
            if Task.isCancelled { return isGood }
            let id = MachineID(id)
            do {
                try await lanes.run(id) {
                    // Whoever was in the lane before may have changed it.
                    guard desired.fence(id.text) == fence else { return }
                    if wanted.isRemoving {
                        try await finishRemoval(id, fence)
                    } else if try await needsWork(id) {
                        hub.send(.machine(host, try await converge(id, fence)))
                    }
                }
            } catch {
                isGood = false
                report(error, id)
            }
        }
        do {
            hub.send(.inventory(try await inventory()))
            try await driver.collectGarbage()
        } catch {
            log.warning("the host cannot say what it has", metadata: ["host": "\(host)", "problem": "\(error)"])
        }
        return isGood
    }

    private func needsWork(_ id: MachineID) async throws -> Bool {
        guard let wanted = desired.value(id.text) else { return false }
        guard try await driver.observe(id) != nil else { return true }
        return wanted.power != nil && !wanted.isSettled
    }
}
