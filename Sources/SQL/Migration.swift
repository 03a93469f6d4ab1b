import CloudCore

/// One step of one service's schema. It is never edited once it was released; what comes after it is another step.
package struct Migration: Sendable {
    /// Counts from 1 within the service.
    package let number: Int
    package let name: String
    /// Statements in the common part of both databases; `INTEGER` means 64 bits and `BLOB` bytes on both.
    package let sql: String

    package init(_ number: Int, _ name: String, _ sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// Tells whether the text was edited: a plain FNV-1a, for it guards against mistakes and not against attackers.
    package var hash: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Hex.text((0..<8).reversed().map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) })
    }

    fileprivate func text(for dialect: Dialect) -> String {
        guard dialect == .postgreSQL else { return sql }
        return sql.replacing(/\bINTEGER\b/, with: "BIGINT").replacing(/\bBLOB\b/, with: "BYTEA")
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

/// Why a database cannot be used by this binary.
package struct SchemaError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

extension Database {
    /// Brings every schema up to what this binary knows, each step in a transaction of its own, and says what it did.
    ///
    /// - Throws: `SchemaError` when the database has a step that this binary does not know (it belongs to a newer one), or a
    ///   step was edited after it was applied.
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
        // All are looked at before one is changed: a database that is refused stays as it was.
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

    /// The steps that are still to be applied: all of them in a database that no Novella has used.
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
        // Another process may be at it.
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
    /// Several statements without arguments: for schemas.
    package func script(_ sql: String) throws {
        guard isWritable else { throw SQLError.misuse("a script in a reading transaction") }
        try asking { try connection.script(dialect == .postgreSQL ? sql.replacing(/\bINTEGER\b/, with: "BIGINT") : sql) }
    }
}
