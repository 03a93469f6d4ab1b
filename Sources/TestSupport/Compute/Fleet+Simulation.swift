import AgentCore
import CloudCore
package import ControlPlane
import DriverSimulated
package import HostModel
import NIOCore

extension Fleet {
    /// A simulated machine as tests look at it.
    package struct SimulatedMachine: Sendable, Hashable {
        package var id: String
        package var host: String
        package var power: String
        package var memoryMiB: Int
        package var disks: [String]
        package var ports: [String]
        package var boots: Int
        /// The bounds on the use of disks, by the disk's id.
        package var rates: [String: DiskRates] = [:]
    }

    /// All machines of the simulation, whoever knows of them.
    package var simulatedMachines: [SimulatedMachine] {
        simulatedHosts.flatMap { host in
            host.machines.map { spec, power, boots in
                let disks = spec.asStarted.disks.map { disk in
                    guard case .image(let image, _) = disk.source else { return disk.id }
                    return "\(disk.id) of \(image.content.text.prefix(8))"
                }
                var machine = SimulatedMachine(
                    id: spec.id.text, host: host.name, power: power.rawValue, memoryMiB: spec.memoryMiB, disks: disks,
                    ports: spec.nics.map(\.id), boots: Int(boots))
                for disk in spec.disks { machine.rates[disk.id] = disk.rates }
                return machine
            }
        }
    }

    /// The copies of disks that lie on simulated hosts, by host.
    package var simulatedCopies: [(host: String, id: String)] {
        simulatedHosts.flatMap { host in host.snapshots.map { (host.name, $0) } }
    }

    private var simulatedHosts: [SimulatedHost] {
        guard let simulated else { return [] }
        return names.compactMap { try? simulated.host($0) }
    }

    /// Reads a copy of a disk whole, and says how long it is.
    package func size(of copy: DiskSnapshot, on host: String) async throws -> Int64 {
        var size: Int64 = 0
        for try await bytes in try await link(to: host).bytes(of: copy) { size += Int64(bytes.readableBytes) }
        return size
    }

    /// A guest of the simulation stops by itself.
    package func guestStops(_ id: String, on host: String, crashing: Bool = false) throws {
        try simulated?.host(host).guestStops(MachineID(id), crashing: crashing)
    }

    /// A guest of the simulation writes to disks that have no room for it.
    package func fill(_ disks: [String], of id: String, on host: String) throws {
        try simulated?.host(host).fill(disks, of: MachineID(id))
    }
}
