import CloudCore

/// One step of the schema of one service. A released step is never edited; a later change is another step.
package struct Migration: Sendable {
    /// The number of the step within its service; numbers count from 1.
    package let number: Int
    package let name: String
    /// The statements of the step. `INTEGER` means 64 bits and `BLOB` means bytes on both databases.
    package let script: SchemaScript

    /// The statements for SQLite.
    package var sql: String { script.sqlite }

    /// Makes a step whose statements are in the common subset of both databases.
    package init(_ number: Int, _ name: String, _ sql: String) { self.init(number, name, SchemaScript(sql)) }

    /// Makes a step whose statements differ between the databases.
    package init(_ number: Int, _ name: String, _ script: SchemaScript) {
        self.number = number
        self.name = name
        self.script = script
    }

    /// The FNV-1a hash of the text, by which an edit is found. It guards against mistakes, not against attackers.
    package var hash: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in script.written.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Hex.text((0..<8).reversed().map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) })
    }

    fileprivate func text(for dialect: Dialect) -> String {
        guard dialect == .postgreSQL else { return script.sqlite }
        return script.postgreSQL.replacing(/\bINTEGER\b/, with: "BIGINT").replacing(/\bBLOB\b/, with: "BYTEA")
    }
}

/// All steps of one service, in their order.
package struct Schema: Sendable {
    package let service: String
    package let migrations: [Migration]

    package init(service: String, _ migrations: [Migration]) {
        self.service = service
        self.migrations = migrations
    }
}

/// The error of a database whose schema this binary cannot use.
package struct SchemaError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension Database {
    /// Brings every schema up to date, each step in its own transaction. Returns the applied steps as text.
    ///
    /// - Throws: `SchemaError` if the database has a step that this binary does not know, because it belongs to a newer
    ///   one, or if a step was edited after it was applied.
    package func migrate(_ schemas: [Schema]) async throws -> [String] {
        try await write { tx in
            if tx.dialect == .postgreSQL { _ = try tx.rows("SELECT pg_advisory_xact_lock(\(PostgresEngine.lock))") }
            try tx.script(
                """
                CREATE TABLE IF NOT EXISTS sql_migration (
                  service TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL,
                  PRIMARY KEY (service, number))
                """)
        }
        // All schemas are checked before one is changed, so a database that is refused stays as it was.
        var steps: [(schema: Schema, migrations: [Migration])] = []
        for schema in schemas { steps.append((schema, try await pending(schema))) }
        var done: [String] = []
        for (schema, migrations) in steps {
            for migration in migrations {
                let applied = try await write { tx in try Self.apply(migration, of: schema, in: tx) }
                if applied { done.append("\(schema.service) \(migration.number): \(migration.name)") }
            }
        }
        return done
    }

    /// Returns the steps that are not applied yet: all of them for a database that no Novella has used.
    ///
    /// - Throws: `SchemaError` as `migrate` does.
    package func pending(_ schema: Schema) async throws -> [Migration] {
        let applied = try await read { tx -> [(number: Int, hash: String)] in
            let isThere: Bool? = try tx.value(
                tx.dialect == .sqlite
                    ? "SELECT count(*) FROM sqlite_master WHERE name = ?"
                    : "SELECT count(to_regclass(?))", "sql_migration")
            guard isThere == true else { return [] }
            return try tx.rows("SELECT number, hash FROM sql_migration WHERE service = ? ORDER BY number", schema.service)
                .map { (number: try $0["number"] as Int, hash: try $0["hash"] as String) }
        }
        for step in applied {
            guard let known = schema.migrations.first(where: { $0.number == step.number }) else {
                throw SchemaError(
                    description: """
                        The database has step \(step.number) of the \(schema.service) schema and this binary knows \
                        \(schema.migrations.count): it was used by a newer Novella. Start that one.
                        """)
            }
            guard known.hash == step.hash else {
                throw SchemaError(
                    description: "Step \(step.number) of the \(schema.service) schema was edited after it was applied.")
            }
        }
        return schema.migrations.filter { step in !applied.contains { $0.number == step.number } }
    }

    private static func apply(_ migration: Migration, of schema: Schema, in tx: Transaction) throws -> Bool {
        // Another process may be applying the same step.
        try tx.lock("sql_migration")
        let present: Int? = try tx.value(
            "SELECT number FROM sql_migration WHERE service = ? AND number = ?", schema.service, migration.number)
        guard present == nil else { return false }
        try tx.script(migration.text(for: tx.dialect))
        try tx.execute(
            "INSERT INTO sql_migration (service, number, name, hash) VALUES (?, ?, ?, ?)",
            schema.service, migration.number, migration.name, migration.hash)
        return true
    }
}

extension Transaction {
    /// Runs several statements without arguments, for schemas.
    package func script(_ sql: String) throws {
        guard isWritable else { throw SQLError.misuse("a script in a reading transaction") }
        try asking { try connection.script(dialect == .postgreSQL ? sql.replacing(/\bINTEGER\b/, with: "BIGINT") : sql) }
    }
}
