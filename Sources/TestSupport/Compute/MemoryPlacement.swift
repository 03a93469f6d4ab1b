package import CloudCore
package import Compute
package import SQL

/// Placement in one table of a test's database: the amounts that each consumer holds.
package struct MemoryPlacement: PlacementNeed {
    let hosts: any HostsNeed

    package init(hosts: any HostsNeed) { self.hosts = hosts }

    package static let schema = Schema(
        service: "test-placement",
        [Migration(1, "claims", "CREATE TABLE test_claim (consumer TEXT NOT NULL, host TEXT NOT NULL, amounts TEXT NOT NULL, PRIMARY KEY (consumer))")])

    package func search(_ request: ResourceRequest) async throws -> any RoomSearch {
        Room(request: request, hosts: hosts)
    }

    package func search(_ request: ResourceRequest, in tx: Transaction) throws -> any RoomSearch {
        Room(request: request, hosts: hosts)
    }

    /// Room at every host for any request.
    private struct Room: RoomSearch {
        let request: ResourceRequest
        let hosts: any HostsNeed

        func candidates(at host: ID<Kind.Provider>) -> [PlacementCandidate] {
            let amounts = ["VCPU": Int64(request.vcpus), "MEMORY_MB": Int64(request.memoryMiB)]
            return [PlacementCandidate(hostID: host, parts: [host: amounts])]
        }

        func hosts(most: Int, from start: Int) -> [ID<Kind.Provider>] {
            hosts.news(since: -1).reports.prefix(most).map(\.id)
        }
    }

    package func refusals(_ request: ResourceRequest, at host: ID<Kind.Provider>, in tx: Transaction) throws -> [String] { [] }

    package func claim(
        _ candidate: PlacementCandidate, consumer: ID<Kind.Consumer>, projectID: ID<Kind.Project>,
        userID: ID<Kind.User>, in tx: Transaction
    ) throws -> String? {
        try release(consumer, in: tx)
        let amounts = candidate.parts.values.flatMap { $0.sorted { $0.key < $1.key } }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        try tx.execute("INSERT INTO test_claim (consumer, host, amounts) VALUES (?, ?, ?)", consumer, candidate.hostID, amounts)
        return nil
    }

    package func release(_ consumer: ID<Kind.Consumer>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM test_claim WHERE consumer = ?", consumer)
    }

    package func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String, in tx: Transaction) throws {
        guard try tx.row("SELECT consumer FROM test_claim WHERE consumer = ?", old) != nil else { return }
        try tx.execute("DELETE FROM test_claim WHERE consumer = ?", new)
        try tx.execute("UPDATE test_claim SET consumer = ? WHERE consumer = ?", new, old)
    }

    package struct Claim: Sendable, Hashable {
        package var consumer: String
        package var host: String
        package var amounts: String
    }

    /// Returns all claims in the order of their consumers.
    package func claims(in tx: Transaction) throws -> [Claim] {
        try tx.rows("SELECT consumer, host, amounts FROM test_claim ORDER BY consumer").map { row in
            Claim(consumer: try row.value(at: 0), host: try row.value(at: 1), amounts: try row.value(at: 2))
        }
    }
}
