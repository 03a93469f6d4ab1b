import ControlPlane
import HostModel
import SQL
import TestSupport

/// The parts of servers outside of Compute's own rows.
struct Inventory: Equatable {
    struct Machine: Hashable {
        var id: String
        var host: String
        var power: String
        var memoryMiB: Int
        var ports: [String]
        var disks: [String]
    }

    struct Copy: Hashable {
        var id: String
        var host: String
    }

    var machines: [Machine] = []
    var ports: [MemoryNetworks.Port] = []
    var claims: [MemoryPlacement.Claim] = []
    /// The ids of images that servers were copied to.
    var images: [String] = []
    /// The copies of disks on hosts.
    var copies: [Copy] = []
    /// The volumes with their states and servers, and the rights of machines to use them.
    var volumes: [String] = []

    /// One line for each thing.
    var lines: [String] { parts.flatMap { name, things in things.map { "\(name): \($0)" } } }

    /// Returns a line for each part that differs; empty if none does.
    func differences(from expected: Inventory) -> [String] {
        zip(parts, expected.parts).filter { $0.things != $1.things }.map { "\($0.name): \($0.things) instead of \($1.things)" }
    }

    private var parts: [(name: String, things: [String])] {
        [
            ("machines", machines.map { "\($0)" }), ("ports", ports.map { "\($0)" }), ("claims", claims.map { "\($0)" }),
            ("images", images), ("copies", copies.map { "\($0)" }), ("volumes", volumes),
        ]
    }
}

extension ServerStage {
    func inventory(_ tx: Transaction) throws -> Inventory {
        let machines = fleet.simulatedMachines.map {
            Inventory.Machine(id: $0.id, host: $0.host, power: $0.power, memoryMiB: $0.memoryMiB, ports: $0.ports, disks: $0.disks)
        }
        return Inventory(
            machines: machines, ports: try networks.ports(in: tx), claims: try placement.claims(in: tx), images: images.ids,
            copies: fleet.simulatedCopies.map { Inventory.Copy(id: $0.id, host: $0.host) },
            volumes: try volumes.lines(in: tx))
    }
}
