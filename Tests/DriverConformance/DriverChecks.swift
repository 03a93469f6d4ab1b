import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension DriverCheck {
    /// All checks of the suite.
    package static let all: [DriverCheck] = [
        DriverCheck("A machine that is made twice is one machine, and is off") { trial in
            let made = try await trial.driver.ensure(trial.spec, fence: trial.next())
            try trial.expect(made.power == .off && made.boots == 0, "made: \(made)")
            let again = try await trial.driver.ensure(trial.spec, fence: trial.last)
            try trial.expect(again == made, "made again: \(again), before \(made)")
            let listed = try await trial.driver.list().filter { $0.id == trial.id }
            try trial.expect(listed == [made], "listed: \(listed)")
        },
        DriverCheck("An older generation and an older epoch are refused, also after the machine is gone") { trial in
            try await trial.driver.ensure(trial.spec, fence: Fence(epoch: 2, generation: 5))
            for old in [Fence(epoch: 1, generation: 5), Fence(epoch: 2, generation: 4), Fence(epoch: 3, generation: 4)] {
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "ensure with \(old)") {
                    try await trial.driver.ensure(trial.spec, fence: old)
                }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "start with \(old)") {
                    try await trial.driver.setPower(trial.id, to: .running, fence: old)
                }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "removal with \(old)") {
                    try await trial.driver.remove(trial.id, fence: old)
                }
            }
            try trial.expect(try await trial.driver.observe(trial.id)?.fence == Fence(epoch: 2, generation: 5), "the fence moved")
            try await trial.driver.remove(trial.id, fence: Fence(epoch: 2, generation: 6))
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "ensure after the removal") {
                try await trial.driver.ensure(trial.spec, fence: Fence(epoch: 2, generation: 6))
            }
            let driver = try await trial.subject.restarted?() ?? trial.driver
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "ensure after the removal and a restart") {
                try await driver.ensure(trial.spec, fence: Fence(epoch: 2, generation: 6))
            }
            try await driver.ensure(trial.spec, fence: Fence(epoch: 2, generation: 7))
        },
        DriverCheck("A machine starts, stops and starts again; asking twice changes nothing") { trial in
            let first = try await trial.started()
            try trial.expect(first.power == .running && first.boots == 1, "started: \(first)")
            let again = try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(again.power == .running && again.boots == 1, "started again: \(again)")
            let off = try await trial.driver.setPower(trial.id, to: .off, fence: trial.next())
            try trial.expect(off.power == .off, "stopped: \(off)")
            let offAgain = try await trial.driver.setPower(trial.id, to: .off, fence: trial.next())
            try trial.expect(offAgain.power == .off, "stopped again: \(offAgain)")
            let second = try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(second.power == .running && second.boots == 2, "a second start: \(second)")
        },
        DriverCheck("A guest that is asked to stop stops") { trial in
            guard trial.subject.guestsListen else { throw NoSuchAbility() }
            _ = try await trial.started()
            let off = try await trial.driver.setPower(trial.id, to: .off(graceSeconds: 60), fence: trial.next())
            try trial.expect(off.power == .off, "asked to stop: \(off)")
        },
        DriverCheck("A reboot runs the guest anew") { trial in
            try await trial.driver.ensure(trial.spec, fence: trial.next())
            try await trial.expectRefusal(.conflict, "a reboot of what is off") {
                try await trial.driver.reboot(trial.id, .hard, fence: trial.next())
            }
            try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            try await trial.guestIsUp()
            let machine = try await trial.driver.reboot(trial.id, .hard, fence: trial.next())
            try trial.expect(machine.power == .running && machine.boots == 2, "rebooted: \(machine)")
            try await trial.guestIsUp(times: 2)
        },
        DriverCheck("What is not there cannot be started, and can be removed twice") { trial in
            try await trial.expectRefusal(.notFound, "a start of nothing") {
                try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            }
            try trial.expect(try await trial.driver.observe(trial.id) == nil, "nothing is there")
            try await trial.expectRefusal(.notFound, "the console of nothing") {
                _ = try await trial.driver.consoleOutput(trial.id, mostBytes: 10)
            }
            _ = try await trial.driver.ensure(trial.spec, fence: trial.next())
            _ = try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            try await trial.driver.remove(trial.id, fence: trial.next())
            try trial.expect(try await trial.driver.observe(trial.id) == nil, "removed while it ran")
            try await trial.driver.remove(trial.id, fence: trial.last)
            try trial.expect(try await !trial.driver.list().contains { $0.id == trial.id }, "listed after its removal")
        },
        DriverCheck("A restarted process finds its machines as they are") { trial in
            guard let restarted = trial.subject.restarted else { throw NoSuchAbility() }
            let before = try await trial.started()
            let driver = try await restarted()
            let after = try await driver.observe(trial.id)
            try trial.expect(after == before, "found \(String(describing: after)), left \(before)")
            try trial.expect(try await driver.list().contains(before), "not listed")
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "a change older than the restart") {
                try await driver.setPower(trial.id, to: .off, fence: Fence(epoch: 1, generation: 1))
            }
            let off = try await driver.setPower(trial.id, to: .off, fence: trial.next())
            try trial.expect(off.power == .off, "stopped by the new process: \(off)")
        },
        DriverCheck("Who listens hears what happens") { trial in
            let heard = Box<[MachineEvent.Kind]>([])
            let events = trial.driver.events()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for await event in events where event.machine == trial.id { heard.update { $0.append(event.kind) } } }
                try await trial.driver.ensure(trial.spec, fence: trial.next())
                try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
                try await trial.driver.setPower(trial.id, to: .off, fence: trial.next())
                try await trial.driver.remove(trial.id, fence: trial.next())
                try await eventually("news of \(trial.id), heard \(heard.value)", within: trial.subject.patience) {
                    heard.value == [.defined, .started, .stopped, .removed]
                }
                group.cancelAll()
            }
        },
        DriverCheck("A machine takes another form while it is off, and keeps its disk") { trial in
            try await trial.driver.ensure(trial.spec, fence: trial.next())
            var larger = trial.spec
            larger.memoryMiB += 32
            larger.name = "another & <name>"
            try await trial.driver.ensure(larger, fence: trial.next())
            try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            try await trial.guestIsUp()
            let diagnostics = try await trial.driver.diagnostics(trial.id)
            try trial.expect(diagnostics.memoryMiB == Int64(larger.memoryMiB), "memory: \(diagnostics)")
            try trial.expect(diagnostics.cpuNanoseconds.count == larger.cpu.count, "CPUs: \(diagnostics)")
        },
        DriverCheck("What no driver can make is refused") { trial in
            var spec = trial.spec
            spec.id = MachineID("../../etc")
            let escaping = spec
            try await trial.expectRefusal(.badRequest, "an id that is no UUID") { try await trial.driver.ensure(escaping, fence: trial.next()) }
            var idle = trial.spec
            idle.cpu.sockets = 0
            let none = idle
            try await trial.expectRefusal(.badRequest, "no CPU") { try await trial.driver.ensure(none, fence: trial.next()) }
        },
        DriverCheck("The console is the end of what the guest wrote, also when it is off") { trial in
            _ = try await trial.started()
            _ = try await trial.driver.setPower(trial.id, to: .off, fence: trial.next())
            let whole = try await trial.driver.consoleOutput(trial.id, mostBytes: 1 << 20)
            try trial.expect(!whole.isCut && whole.text().contains(trial.subject.greeting), "console: \(whole.text())")
            let end = try await trial.driver.consoleOutput(trial.id, mostBytes: 8)
            try trial.expect(end.isCut && end.bytes == Array(whole.bytes.suffix(8)), "its end: \(end)")
        },
        DriverCheck("The screen is there while the machine is") { trial in
            try await trial.driver.ensure(trial.spec, fence: trial.next())
            try await trial.expectRefusal(.conflict, "the screen of what is off") { _ = try await trial.driver.display(trial.id) }
            _ = try await trial.driver.setPower(trial.id, to: .running, fence: trial.next())
            _ = try await trial.driver.display(trial.id)
        },
        DriverCheck("A host says what it has") { trial in
            let resources = try await trial.driver.resources()
            try trial.expect(resources.cpus > 0 && resources.memoryMiB > 0 && resources.diskBytes > 0, "\(resources)")
            let capabilities = try await trial.driver.capabilities()
            try trial.expect(capabilities.guests.contains { $0.architecture == trial.spec.platform.architecture }, "\(capabilities)")
        },
        DriverCheck("Many machines at once do not disturb each other") { trial in
            let others = (0..<4).map { _ in MachineID(trial.subject.world.random.uuid()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in others {
                    group.addTask { try await trial.driver.ensure(trial.subject.spec(id), fence: Fence(epoch: 1, generation: 1)) }
                    group.addTask { try await trial.driver.ensure(trial.subject.spec(id), fence: Fence(epoch: 1, generation: 1)) }
                }
                try await group.waitForAll()
            }
            let listed = Set(try await trial.driver.list().map(\.id))
            for id in others { try await trial.driver.remove(id, fence: Fence(epoch: 1, generation: 2)) }
            try trial.expect(listed.isSuperset(of: others), "made \(others), listed \(listed)")
        },
    ] + abilities
}
