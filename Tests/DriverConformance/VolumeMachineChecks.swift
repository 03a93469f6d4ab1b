import CloudCore
import Drivers
import HostModel
import TestSupport

extension VolumeDriverCheck {
    static let machines: [VolumeDriverCheck] = [
        VolumeDriverCheck("A volume has one machine, unless all of its machines share it") { trial in
            let volume = try await trial.whole(trial.spec())
            let other = MachineID(trial.subject.world.random.uuid())
            let mine = VolumeConnection(machine: trial.machine, epoch: 1)
            let path = try await trial.driver.connect(volume, mine)
            try trial.expect(try await trial.driver.connect(volume, mine) == path, "another path")
            try trial.expect(try await trial.driver.observe(volume)?.connections == [mine], "the connections")
            for isShared in [false, true] {
                try await trial.expectRefusal(.conflict, code: VolumeConnection.connectedCode, "a second machine") {
                    _ = try await trial.connect(volume, to: other, epoch: 2, isShared: isShared)
                }
            }
            try await trial.expectRefusal(.conflict, code: VolumeConnection.connectedCode, "a removal") {
                try await trial.driver.remove(volume, fence: trial.next())
            }
            for _ in 0..<2 { try await trial.driver.disconnect(volume, from: trial.machine, epoch: 1) }
            for (machine, epoch) in [(trial.machine, Int64(3)), (other, 4)] {
                _ = try await trial.connect(volume, to: machine, epoch: epoch, isShared: true)
            }
            try trial.expect(try await trial.driver.observe(volume)?.connections.count == 2, "both are connected")
            for (machine, epoch) in [(trial.machine, Int64(3)), (other, 4)] {
                try await trial.driver.disconnect(volume, from: machine, epoch: epoch)
            }
            let chained = try await trial.whole(trial.spec(format: .qcow2))
            try await trial.expectRefusal(.badRequest, "a shared qcow2") {
                let shared = VolumeConnection(machine: other, epoch: 1, isShared: true)
                _ = try await trial.driver.connect(chained, shared)
            }
        },
        VolumeDriverCheck("An attachment that has ended lets no machine in again, also after a restart") { trial in
            let volume = try await trial.whole(trial.spec())
            _ = try await trial.driver.connect(volume, VolumeConnection(machine: trial.machine, epoch: 5))
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an older attachment") {
                _ = try await trial.driver.connect(volume, VolumeConnection(machine: trial.machine, epoch: 4))
            }
            try await trial.expectRefusal(.conflict, code: Fence.staleCode, "an older detachment") {
                try await trial.driver.disconnect(volume, from: trial.machine, epoch: 4)
            }
            try await trial.driver.disconnect(volume, from: trial.machine, epoch: 5)
            for isRestarted in [false, true] {
                if isRestarted { try await trial.restart() }
                try await trial.expectRefusal(.conflict, code: Fence.staleCode, "a late attachment") {
                    _ = try await trial.driver.connect(volume, VolumeConnection(machine: trial.machine, epoch: 5))
                }
            }
            _ = try await trial.driver.connect(volume, VolumeConnection(machine: trial.machine, epoch: 6))
            try await trial.driver.disconnect(volume, from: trial.machine, epoch: 6)
        },
    ]
}
