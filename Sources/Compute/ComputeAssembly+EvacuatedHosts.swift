import CloudCore
import Durable

extension ComputeAssembly {
    /// Starts the removal of evacuated servers' machines from hosts that can be reached again.
    ///
    /// - Returns: the hosts that still have such machines.
    func sweep(_ hosts: [String]) async throws -> Set<String> {
        let evacuated = try await context.readLong { tx in try MigrationStore().evacuated(among: hosts, in: tx) }
        for host in evacuated.sorted() { try await sweep(host) }
        return evacuated
    }

    private func sweep(_ host: String) async throws {
        let store = MigrationStore()
        let filter = MigrationStore.Filter(source: host, status: "done", kind: ServerMigration.Kind.evacuation.rawValue)
        guard try await !context.read({ tx in try store.list(filter, in: tx).isEmpty }),
            try await context.needs.hosts.report(of: host)?.isUp == true
        else { return }
        try await context.write { tx in
            for migration in try store.list(filter, in: tx) {
                let resource = Server.resource(migration.serverID)
                // If a workflow works on the server, its machine is left for the host's next report. A server that has
                // come back to this host keeps its machine.
                guard try workflows.activity(on: resource, in: tx) == nil,
                    try ServerStore().find(migration.serverID, in: tx)?.host != host
                else { continue }
                try workflows.start(
                    SweepHost.self, .init(serverID: migration.serverID, migrationID: migration.id, host: host), on: resource, as: nil, in: tx)
            }
        }
    }
}
