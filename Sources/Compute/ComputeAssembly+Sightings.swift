import CloudCore
import Durable
package import HostModel
package import SQL

extension ComputeAssembly {
    /// The greatest age of a host's report at the time when it arrives.
    private static let longestReport = Duration.seconds(60)

    /// Returns the revision of the servers. While it stays the same, equal sightings lead to the same rows.
    package func revisionOfServers() async throws -> Revision { try await context.database.revision(of: .hosts) }

    /// Changes the rows of servers to what hosts saw. A guest that was shut down from within is stopped, as the API
    /// shows it. A server that a workflow works on is not changed. A sighting from before the last change of the
    /// machine is ignored.
    ///
    /// - Parameter sightings: the machines as each host saw them. Their generations are in the numbers of the rows.
    /// - Returns: the hosts whose next sightings may change something even if they are the same.
    package func take(_ sightings: [String: [ObservedMachine]]) async throws -> Set<String> {
        var undecided = try await sweep(Array(sightings.keys))
        let seen = Dictionary(
            sightings.flatMap { host, machines in machines.map { ($0.id, Sighting(host: host, machine: $0)) } }) { $1 }
        if seen.isEmpty { return undecided }
        let found = try await context.readLong { tx in try changes(seen, seen.keys.map(\.text), in: tx) }
        undecided.formUnion(found.undecided)
        if found.changed.isEmpty { return undecided }
        let confirmed = await confirm(found.changed, seen)
        undecided.formUnion(found.changed.filter { confirmed[$0.row.id] == nil }.compactMap(\.row.host))
        if confirmed.isEmpty { return undecided }
        let read = Dictionary(found.changed.map { ($0.row.id, $0.row) }) { $1 }
        let busy = try await context.write { tx in
            var busy: Set<String> = []
            for change in try changes(confirmed, confirmed.keys.map(\.text), in: tx).changed {
                let isSame = read[change.row.id].map(change.row.isUnchanged(since:)) ?? false
                guard isSame, try workflows.activity(on: change.row.resource, in: tx) == nil else {
                    if let host = change.row.host { busy.insert(host) }
                    continue
                }
                var server = change.next
                server.updatedAt = context.world.now
                try ServerStore().update(server, in: tx)
                let full = confirmed[server.id]?.machine.fullDisks ?? []
                if !full.isEmpty { try context.needs.volumes.tellFull(full, pausing: server.id, in: tx) }
            }
            return busy
        }
        return undecided.union(busy)
    }

    /// Asks the hosts for the machines whose sightings contradict their rows. A sighting may have been made before the
    /// last change of the machine and arrive after it. The host is asked after the row was read.
    ///
    /// - Returns: the sightings that are still true.
    private func confirm(_ changes: [Change], _ seen: [MachineID: Sighting]) async -> [MachineID: Sighting] {
        let byHost = Dictionary(grouping: changes.compactMap { seen[$0.row.id] }, by: \.host)
        return await withTaskGroup(of: [MachineID: Sighting].self) { group in
            for (host, sightings) in byHost {
                group.addTask {
                    var confirmed: [MachineID: Sighting] = [:]
                    for sighting in sightings {
                        let id = sighting.machine.id
                        // A host that does not answer is not asked about its other machines.
                        guard let machine = try? await context.needs.machines.observe(id, on: host) else { break }
                        guard machine.power == sighting.machine.power else { continue }
                        confirmed[id] = Sighting(host: host, machine: machine)
                    }
                    return confirmed
                }
            }
            return await group.reduce(into: [:]) { $0.merge($1) { $1 } }
        }
    }

    /// The change of a server that a sighting leads to.
    private struct Change {
        /// The server as it was read.
        let row: Server
        let next: Server
    }

    private struct Sighting {
        let host: String
        let machine: ObservedMachine
    }

    /// Returns the servers that sightings change, and the hosts of sightings for which it is too early.
    private func changes(
        _ seen: [MachineID: Sighting], _ ids: [String], in tx: Transaction
    ) throws -> (changed: [Change], undecided: Set<String>) {
        let now = context.world.now
        var (changed, undecided) = ([Change](), Set<String>())
        for server in try ServerStore().find(ids, in: tx) {
            guard let sighting = seen[server.id], server.host == sighting.host else { continue }
            let isOld = sighting.machine.fence.generation < server.generation
            // A sighting with an older generation may be from before the last change. If the last change is long past,
            // the sighting counts: the change may have been cancelled before the host was told.
            if isOld, server.updatedAt + Self.longestReport > now {
                undecided.insert(sighting.host)
            } else if let next = server.taking(sighting.machine.power) {
                changed.append(Change(row: server, next: next))
            }
        }
        return (changed, undecided)
    }
}

extension Server {
    /// Returns whether no change of the machine was begun or ended since an earlier read of the same server.
    fileprivate func isUnchanged(since old: Server) -> Bool {
        generation == old.generation && updatedAt == old.updatedAt
    }

    /// Returns the server after its machine was seen in a power state; nil if that changes nothing.
    ///
    /// By itself a guest can only stop or crash. Any other change comes from a workflow, or from a person who works on
    /// the host.
    func taking(_ power: PowerState) -> Server? {
        var server = self
        switch (power, state) {
        case (_, .building), (_, .deleted): return nil
        case (.off, .active), (.off, .paused): (server.state, server.power) = (.stopped, .off)
        case (.crashed, .active): (server.state, server.power) = (.stopped, .crashed)
        case (.running, .stopped), (.running, .paused), (.running, .suspended): (server.state, server.power) = (.active, .running)
        // A command that did its work and then failed has left the machine in this state.
        case (.paused, .active), (.paused, .stopped), (.paused, .suspended): (server.state, server.power) = (.paused, .paused)
        case (.suspended, .active), (.suspended, .stopped), (.suspended, .paused): (server.state, server.power) = (.suspended, .off)
        // The machine crashed and was seen so before. That is why it is off.
        case (.off, .stopped) where self.power == .crashed: return nil
        case (.off, _), (.suspended, _): server.power = .off
        case (.running, _): server.power = .running
        case (.paused, _): server.power = .paused
        case (.crashed, _): server.power = .crashed
        }
        return server.state == state && server.power == self.power ? nil : server
    }
}
