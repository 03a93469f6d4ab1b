import CloudCore
import Durable
import SQL

enum Machine {}

/// The rows of a service: machines and their claims.
struct MachineStore: Sendable {
    static let schema = Schema(
        service: "sample",
        [
            Migration(
                1, "machines",
                """
                CREATE TABLE sample_machine (id TEXT PRIMARY KEY, status TEXT NOT NULL, address TEXT);
                CREATE TABLE sample_claim (machine_id TEXT PRIMARY KEY, size INTEGER NOT NULL);
                """)
        ])

    func insert(_ id: ID<Machine>, in tx: Transaction) throws {
        try tx.execute("INSERT INTO sample_machine (id, status) VALUES (?, 'building')", id)
    }

    func setStatus(_ id: ID<Machine>, _ status: String, address: String? = nil, in tx: Transaction) throws {
        try tx.execute("UPDATE sample_machine SET status = ?, address = ? WHERE id = ?", status, address, id)
    }

    func claim(_ id: ID<Machine>, size: Int, in tx: Transaction) throws {
        try tx.execute("INSERT INTO sample_claim (machine_id, size) VALUES (?, ?)", id, size)
    }

    func release(_ id: ID<Machine>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM sample_claim WHERE machine_id = ?", id)
    }

    func delete(_ id: ID<Machine>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM sample_machine WHERE id = ?", id)
    }

    func machines(in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT id, status, address FROM sample_machine ORDER BY id").map { row in
            let address: String? = try row["address"]
            return "\(try row["id"] as String) is \(try row["status"] as String) at \(address ?? "no address")"
        }
    }

    func claims(in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT machine_id, size FROM sample_claim ORDER BY machine_id").map { row in
            "claim of \(try row["machine_id"] as String) of \(try row["size"] as Int)"
        }
    }
}

struct MachineNeeds: Sendable {
    let machines = MachineStore()
    let host: FakeHost
}

extension ResourceKey {
    static func machine(_ id: ID<Machine>) -> ResourceKey { ResourceKey("sample.machine/\(id)") }
}
