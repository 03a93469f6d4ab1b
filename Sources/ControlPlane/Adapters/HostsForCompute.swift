package import CloudCore
package import Compute
import HostModel

/// The hosts as Compute needs them, from the fleet's facts.
package struct HostsForCompute: HostsNeed {
    let fleet: Fleet
    let world: World

    package init(fleet: Fleet, world: World) {
        self.fleet = fleet
        self.world = world
    }

    package func reports() async throws -> [HostReport] {
        let now = world.now
        return await fleet.facts().map { HostReport($0, at: now) }
    }

    package func report(of host: String) async throws -> HostReport? {
        await fleet.askIfNobodyKeeps()
        return fleet.facts(of: host).map { HostReport($0, at: world.now) }
    }

    package func refresh() async { await fleet.askIfNobodyKeeps() }

    package var position: Int { fleet.position }

    package func news(since position: Int) -> (reports: [HostReport], position: Int) {
        let now = world.now
        let (facts, position) = fleet.news(since: position)
        return (facts.map { HostReport($0, at: now) }, position)
    }

    package func isUp(_ host: String) -> Bool { fleet.facts(of: host)?.isUp(at: world.now) ?? false }
}

extension HostReport {
    init(_ facts: HostFacts, at now: Timestamp) {
        let (capabilities, resources) = (facts.inventory.capabilities, facts.inventory.resources)
        self.init(
            name: facts.name, id: ID(facts.id), isUp: facts.isUp(at: now), lastSeen: facts.seenAt,
            hypervisorType: "QEMU", hypervisorVersion: Self.version(capabilities.hypervisor), processors: Self.processors(capabilities, resources.cpus),
            vcpus: resources.cpus, memoryMiB: Int(resources.memoryMiB), diskGiB: Int(resources.diskBytes >> 30),
            bootedAt: facts.bootedAt,
            movesMachines: facts.inventory.abilities.contains(.moving), movesRunningMachines: facts.inventory.abilities.contains(.liveMoving))
    }

    /// Returns a version as libvirt counts it: 7002019 for `QEMU 7.2.19`.
    private static func version(_ text: String) -> Int {
        let parts = (text.split(separator: " ").last ?? "").split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
        return parts[0] * 1_000_000 + parts[1] * 1000 + parts[2]
    }

    private static func processors(_ capabilities: HostCapabilities, _ count: Int) -> JSON {
        [
            "arch": .string(capabilities.guests.first?.architecture.rawValue ?? "x86_64"),
            "model": capabilities.acceleration == .kvm ? "host" : "emulated", "vendor": "", "features": [],
            "topology": ["sockets": 1, "cores": .integer(Int64(count)), "threads": 1],
        ]
    }
}
