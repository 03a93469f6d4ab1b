import CloudCore
import SQL

/// The rows of consumers and allocations, and sums over them.
struct AllocationStore: Sendable {
    /// An allocation with the values that are shown beside it.
    struct Entry: Sendable {
        let allocation: Allocation
        let consumer: Consumer
        let providerGeneration: Int
    }

    private static let consumerColumns = "c.id, c.project_id, c.user_id, c.type, c.generation"

    // MARK: Consumers

    func consumer(_ id: ID<Kind.Consumer>, in tx: Transaction) throws -> Consumer? {
        try tx.rows("SELECT \(Self.consumerColumns) FROM placement_consumer c WHERE c.id = ?", id).first.map { try Self.consumer($0, 0) }
    }

    func insert(_ consumer: Consumer, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO placement_consumer (id, project_id, user_id, type, generation) VALUES (?, ?, ?, ?, ?)", consumer.id,
            consumer.projectID, consumer.userID, consumer.type, consumer.generation)
    }

    /// Updates a consumer.
    ///
    /// - Parameter generation: the generation that was read.
    /// - Throws: `Refusal.concurrent` if the row has another generation by now.
    func update(_ consumer: Consumer, from generation: Int, in tx: Transaction) throws {
        let count = try tx.execute(
            "UPDATE placement_consumer SET project_id = ?, user_id = ?, type = ?, generation = ? WHERE id = ? AND generation = ?",
            consumer.projectID, consumer.userID, consumer.type, consumer.generation, consumer.id, generation)
        if count == 0 { throw Refusal.changed }
    }

    func deleteConsumer(_ id: ID<Kind.Consumer>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM placement_consumer WHERE id = ?", id)
    }

    // MARK: Allocations

    func insert(_ allocation: Allocation, in tx: Transaction) throws {
        tx.touched(allocation.providerID)
        try tx.execute(
            "INSERT INTO placement_allocation (consumer_id, provider_id, resource_class, used, created_at) VALUES (?, ?, ?, ?, ?)",
            allocation.consumerID, allocation.providerID, allocation.resourceClass, allocation.used, allocation.createdAt)
    }

    @discardableResult
    func deleteAllocations(of id: ID<Kind.Consumer>, in tx: Transaction) throws -> Int {
        let gone = try tx.rows("DELETE FROM placement_allocation WHERE consumer_id = ? RETURNING provider_id", id)
        tx.touched(try gone.map { try $0.value(at: 0) })
        return gone.count
    }

    func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, in tx: Transaction) throws {
        try tx.execute("UPDATE placement_allocation SET consumer_id = ? WHERE consumer_id = ?", new, old)
    }

    func entries(of id: ID<Kind.Consumer>, in tx: Transaction) throws -> [Entry] { try entries("a.consumer_id = ?", id.text, in: tx) }
    func entries(on id: ID<Kind.Provider>, in tx: Transaction) throws -> [Entry] { try entries("a.provider_id = ?", id.text, in: tx) }

    private func entries(_ condition: String, _ id: String, in tx: Transaction) throws -> [Entry] {
        try tx.rows(
            """
            SELECT a.provider_id, a.resource_class, a.used, a.created_at, p.generation, \(Self.consumerColumns)
            FROM placement_allocation a JOIN placement_consumer c ON c.id = a.consumer_id JOIN placement_provider p ON p.id = a.provider_id
            WHERE \(condition) ORDER BY a.created_at, a.consumer_id, a.provider_id, a.resource_class
            """, id
        ).map { row in
            let consumer = try Self.consumer(row, 5)
            return Entry(
                allocation: Allocation(
                    consumerID: consumer.id, providerID: try row.value(at: 0), resourceClass: try row.value(at: 1),
                    used: try row.value(at: 2), createdAt: try row.value(at: 3)),
                consumer: consumer, providerGeneration: try row.value(at: 4))
        }
    }

    func isUsed(_ id: ID<Kind.Provider>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT used FROM placement_allocation WHERE provider_id = ? LIMIT 1", id) != nil
    }

    /// Returns the amounts that all consumers together hold of a provider, by class.
    func used(of id: ID<Kind.Provider>, in tx: Transaction) throws -> [String: Int64] {
        let rows = try tx.rows(
            "SELECT resource_class, CAST(SUM(used) AS INTEGER) FROM placement_allocation WHERE provider_id = ? GROUP BY resource_class".bigint(tx),
            id)
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.value(at: 0) as String, try $0.value(at: 1) as Int64) })
    }

    // MARK: Usages of a project

    /// An amount by type of consumer and by class.
    struct Usage: Sendable {
        let type: String?
        let resourceClass: String
        let used: Int64
    }

    private static let ofProject = "placement_allocation a JOIN placement_consumer c ON c.id = a.consumer_id WHERE c.project_id = ?"

    func usages(project: String, user: String?, in tx: Transaction) throws -> [Usage] {
        let (condition, arguments) = Self.condition(project, user)
        return try tx.rows(
            """
            SELECT c.type, a.resource_class, CAST(SUM(a.used) AS INTEGER) FROM \(condition)
            GROUP BY c.type, a.resource_class ORDER BY c.type, a.resource_class
            """.bigint(tx), arguments: arguments
        ).map { Usage(type: try $0.value(at: 0), resourceClass: try $0.value(at: 1), used: try $0.value(at: 2)) }
    }

    /// Returns the number of consumers of each type that hold something.
    func consumerCounts(project: String, user: String?, in tx: Transaction) throws -> [(type: String?, count: Int)] {
        let (condition, arguments) = Self.condition(project, user)
        return try tx.rows("SELECT c.type, COUNT(DISTINCT c.id) FROM \(condition) GROUP BY c.type", arguments: arguments)
            .map { (type: try $0.value(at: 0) as String?, count: try $0.value(at: 1) as Int) }
    }

    private static func condition(_ project: String, _ user: String?) -> (String, [SQLValue]) {
        guard let user else { return (ofProject, [project.sql]) }
        return (ofProject + " AND c.user_id = ?", [project.sql, user.sql])
    }

    private static func consumer(_ row: Row, _ start: Int) throws -> Consumer {
        Consumer(
            id: try row.value(at: start), projectID: try row.value(at: start + 1), userID: try row.value(at: start + 2),
            type: try row.value(at: start + 3), generation: try row.value(at: start + 4))
    }
}

extension String {
    /// Returns the SQL with BIGINT in casts on PostgreSQL, which sums 64-bit numbers to NUMERIC and whose INTEGER has
    /// 32 bits.
    func bigint(_ tx: Transaction) -> String { tx.dialect == .postgreSQL ? replacing("AS INTEGER", with: "AS BIGINT") : self }
}
