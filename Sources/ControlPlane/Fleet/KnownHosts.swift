import CloudCore
import Networking
import SQL

/// The hosts as Networking sees them: as their last reports say.
struct KnownHosts: NetworkingHosts {
    let fleet: Fleet
    let world: World

    var all: [NetworkHost] {
        let now = world.now
        return fleet.known.map { host($0, at: now) }.sorted { $0.name < $1.name }
    }

    func host(_ name: String) -> NetworkHost? { fleet.facts(of: name).map { host($0, at: world.now) } }

    func hosts(in tx: Transaction) throws -> [NetworkHost] { all }
    func host(_ name: String, in tx: Transaction) throws -> NetworkHost? { host(name) }

    private func host(_ facts: HostFacts, at now: Timestamp) -> NetworkHost {
        var host = NetworkHost(
            id: facts.id, name: facts.name, zone: "nova", isAlive: facts.isUp(at: now) && fleet.isOpen(facts.name),
            address: fleet.tunnelAddress(of: facts.name))
        (host.startedAt, host.seenAt) = (facts.bootedAt, facts.seenAt)
        return host
    }
}
