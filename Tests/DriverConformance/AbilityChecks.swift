import CloudCore
import Drivers
import Foundation
import HostModel
import TestSupport

extension DriverCheck {
    /// The checks of optional abilities, for drivers that declare them.
    static let abilities: [DriverCheck] = [
        DriverCheck("A paused machine stands still and goes on") { trial in
            let driver = try trial.ability((any Pausing).self)
            try await driver.ensure(trial.spec, fence: trial.next())
            try await trial.expectRefusal(.conflict, "a pause of what is off") { try await driver.pause(trial.id, fence: trial.next()) }
            _ = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            for _ in 0..<2 {
                let paused = try await driver.pause(trial.id, fence: trial.next())
                try trial.expect(paused.power == .paused && paused.boots == 1, "\(paused)")
            }
            for _ in 0..<2 {
                let running = try await driver.unpause(trial.id, fence: trial.next())
                try trial.expect(running.power == .running && running.boots == 1, "\(running)")
            }
            try await driver.pause(trial.id, fence: trial.next())
            let running = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(running.power == .running && running.boots == 1, "a start of what is paused: \(running)")
        },
        DriverCheck("A suspended machine goes on where it was") { trial in
            let driver = try trial.ability((any Suspending).self)
            _ = try await trial.started()
            for _ in 0..<2 {
                let suspended = try await driver.suspend(trial.id, fence: trial.next())
                try trial.expect(suspended.power == .suspended, "\(suspended)")
            }
            let running = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(running.power == .running && running.boots == 1, "resumed: \(running)")
            _ = try await driver.suspend(trial.id, fence: trial.next())
            // Turning off a suspended machine discards its memory: the next start is a new boot.
            let off = try await driver.setPower(trial.id, to: .off, fence: trial.next())
            try trial.expect(off.power == .off, "off: \(off)")
            let anew = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(anew.boots == 2, "a new start: \(anew)")
        },
        DriverCheck("A snapshot is a flat copy of the root disk, the same for the same id") { trial in
            let driver = try trial.ability((any Snapshotting).self)
            for isRunning in [false, true] {
                let snapshot = trial.subject.world.random.uuid()
                if isRunning { _ = try await trial.started() } else { try await driver.ensure(trial.spec, fence: trial.next()) }
                let copy = try await driver.snapshot(trial.id, as: snapshot, fence: trial.next())
                try trial.expect(copy.virtualBytes == trial.spec.rootDisk?.virtualBytes, "\(copy)")
                try trial.expect(try Data(contentsOf: URL(filePath: copy.path)).prefix(4) == Data([0x51, 0x46, 0x49, 0xfb]), "no qcow2")
                let again = try await driver.snapshot(trial.id, as: snapshot, fence: trial.next())
                try trial.expect(again == copy, "again: \(again), before \(copy)")
                let power = try await driver.observe(trial.id)?.power
                try trial.expect(power == (isRunning ? .running : .off), "\(String(describing: power)) after a snapshot")
                try await driver.removeSnapshot(snapshot)
                try await driver.removeSnapshot(snapshot)
                try trial.expect(!FileManager.default.fileExists(atPath: copy.path), "the copy is there still")
            }
        },
        DriverCheck("A machine that is off becomes larger, and never smaller") { trial in
            let driver = try trial.ability((any Resizing).self)
            try await driver.ensure(trial.spec, fence: trial.next())
            var larger = trial.spec
            larger.memoryMiB += 32
            larger.disks = larger.disks.map { disk in
                guard case .image(let image, let bytes) = disk.source else { return disk }
                var disk = disk
                disk.source = .image(image, virtualBytes: bytes * 2)
                return disk
            }
            let wanted = larger
            try await driver.resize(to: wanted, fence: trial.next())
            try await driver.resize(to: wanted, fence: trial.next())
            if let snapshotting = driver as? any Snapshotting {
                let snapshot = trial.subject.world.random.uuid()
                let copy = try await snapshotting.snapshot(trial.id, as: snapshot, fence: trial.next())
                try await snapshotting.removeSnapshot(snapshot)
                try trial.expect(copy.virtualBytes == wanted.rootDisk?.virtualBytes, "\(copy)")
            }
            try await trial.expectRefusal(.badRequest, "a smaller disk") { try await driver.resize(to: trial.spec, fence: trial.next()) }
            _ = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try await trial.expectRefusal(.conflict, "a resize of what runs") { try await driver.resize(to: wanted, fence: trial.next()) }
        },
        DriverCheck("A rescued machine starts from another disk, with its own behind it, and then from its own again") { trial in
            let driver = trial.driver
            _ = try await trial.started()
            _ = try await driver.setPower(trial.id, to: .off, fence: trial.next())
            guard let root = trial.spec.rootDisk else { return }
            let own = trial.spec.disks.map(\.id)
            var rescued = trial.spec
            rescued.rescue = .init(disk: Disk(id: "rescue", source: root.source), boot: trial.spec.boot)
            for (place, spec) in [rescued, rescued, trial.spec].enumerated() {
                try await driver.ensure(spec, fence: trial.next())
                let running = try await driver.setPower(trial.id, to: .running, fence: trial.next())
                try trial.expect(running.power == .running, "\(running)")
                try await trial.guestIsUp(times: place + 2)
                let disks = try await driver.diagnostics(trial.id).disks.map(\.id)
                try trial.expect(disks == (spec.rescue == nil ? own : ["rescue"] + own), "\(disks)")
                _ = try await driver.setPower(trial.id, to: .off, fence: trial.next())
            }
        },
        DriverCheck("A machine that is packed can be unpacked, and goes on with what it had", isAboutOtherHosts: true) { trial in
            let driver = try trial.ability((any Moving).self)
            _ = try await trial.started()
            try await trial.expectRefusal(.conflict, "to pack what runs") { _ = try await driver.pack(trial.id, fence: trial.next()) }
            _ = try await driver.setPower(trial.id, to: .off, fence: trial.next())
            let luggage = try await driver.pack(trial.id, fence: trial.next())
            try await driver.remove(trial.id, fence: trial.next())
            for _ in 0..<2 {
                let there = try await driver.unpack(luggage, as: trial.spec, fence: trial.next())
                try trial.expect(there.power == .off, "\(there)")
            }
            _ = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try await trial.guestIsUp(times: 2)
            try await trial.expectRefusal(.badRequest, "another driver's luggage") {
                try await driver.unpack(MachineLuggage(driver: "another", state: Data()), as: trial.spec, fence: trial.next())
            }
        },
        DriverCheck("A running machine that is packed stands still, and goes on where it is unpacked", isAboutOtherHosts: true) { trial in
            let driver = try trial.ability((any LiveMoving).self)
            _ = try await trial.started()
            for _ in 0..<2 {
                _ = try await driver.packLive(trial.id, fence: trial.next())
                try await trial.power(is: .paused)
            }
            let luggage = try await driver.packLive(trial.id, fence: trial.next())
            // The move is cancelled, and begins again.
            let again = try await driver.setPower(trial.id, to: .running, fence: trial.next())
            try trial.expect(again.power == .running && again.boots == 1, "\(again)")
            try await driver.remove(trial.id, fence: trial.next())
            for _ in 0..<2 {
                let there = try await driver.unpack(luggage, as: trial.spec, fence: trial.next())
                try trial.expect(there.power == .running && there.boots == 1, "\(there)")
            }
        },
        DriverCheck("A password without an agent in the guest is refused") { trial in
            let driver = try trial.ability((any PasswordSetting).self)
            _ = try await trial.driver.ensure(trial.spec, fence: trial.next())
            try await trial.expectRefusal(.conflict, "a password") {
                try await driver.setPassword(Secret("geheim"), of: "root", in: trial.id, fence: trial.next())
            }
        },
    ]
}
