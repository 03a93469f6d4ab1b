import CloudCore
import Drivers
import Foundation
import HostModel
import Logging
import Synchronization

extension Agent {
    /// The kernel's id of this start of the host; each start has another.
    package static var kernelBootID: String {
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)) ?? ""
    }

    /// Passes on events and checks everything regularly, until it is cancelled. It begins with the work that the agent
    /// before it has left.
    package func keep() async throws {
        // The subscription comes before the first check, so that no event is missed in between.
        let events = driver.events()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await event in events.untilCancelled() { await self.pass(event) } }
            group.addTask {
                var failures = 0
                var interval = self.settings.interval * self.share
                while true {
                    failures = await self.lookAtAll() ? 0 : failures + 1
                    // After a start of the host its networks appear a moment later than its agent, and machines need
                    // them. So the first tries follow each other soon.
                    let soon = Duration.seconds(1 << min(failures, 10))
                    try await self.settings.clock.sleep(for: failures == 0 ? interval : min(soon, interval))
                    interval = self.settings.interval
                }
            }
            group.addTask {
                while true {
                    try await self.settings.clock.sleep(for: self.settings.roomInterval)
                    await self.letGoOn()
                }
            }
            if let volumes = self.volumes { group.addTask { try await volumes.keep() } }
            try await group.next()
            group.cancelAll()
        }
    }

    /// The part of an interval after which the second look comes. It differs between hosts, because agents of many hosts
    /// may begin at the same time, and would report at the same time for ever.
    private var share: Double {
        let hash = host.text.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return 0.1 + 0.9 * Double(hash) / Double(UInt32.max)
    }

    private func pass(_ event: MachineEvent) async {
        hub.send(.event(host, event))
        guard let machine = try? await driver.observe(event.machine) else { return }
        note(machine)
        hub.send(.machine(host, machine))
    }

    /// Notes whether a machine has full disks, and warns the operator once for each time.
    func note(_ machine: ObservedMachine) {
        let isStalled = !machine.fullDisks.isEmpty
        let isNews = stalled.withLock { stalled in
            isStalled ? stalled.insert(machine.id).inserted : stalled.remove(machine.id) != nil
        }
        guard isNews else { return }
        let metadata: Logger.Metadata = ["machine": "\(machine.id)", "disks": "\(machine.fullDisks)"]
        if isStalled {
            log.warning("a machine is paused: there is no room for what its guest writes", metadata: metadata)
        } else {
            log.notice("a machine does not wait for room any more", metadata: ["machine": "\(machine.id)"])
        }
    }

    /// Continues the machines that are wanted to run, if there is room now for what their guests write.
    package func letGoOn() async {
        guard let driver = driver as? any Stalling else { return }
        for id in stalled.withLock({ $0 }) {
            do {
                try await lanes.run(id) {
                    guard let wanted = desired.value(id.text), !wanted.isRemoving else {
                        stalled.withLock { _ = $0.remove(id) }
                        return
                    }
                    // A machine that its user has paused meanwhile stays so.
                    guard wanted.power == .running, wanted.isSettled else { return }
                    let machine = try await driver.goOn(id, fence: desired.fence(id.text))
                    note(machine)
                    if machine.fullDisks.isEmpty { hub.send(.machine(host, machine)) }
                }
            } catch { report(error, id) }
        }
    }

    /// Carries out what is wanted and not yet done, and reports an inventory.
    ///
    /// - Returns: whether every machine is as wanted.
    @discardableResult
    package func lookAtAll() async -> Bool {
        var isGood = true
        for (id, fence, wanted) in desired.all {
            if Task.isCancelled { return isGood }
            let id = MachineID(id)
            do {
                try await lanes.run(id) {
                    // Another task may have changed it in the lane meanwhile.
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
