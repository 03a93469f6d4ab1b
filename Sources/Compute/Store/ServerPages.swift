import CloudCore
import SQL

/// A list of servers in the order of columns, read page by page.
///
/// The list is made of streams, each of which an index has in the list's usual order: the rows of one table, and of one
/// state if states are wanted. A condition that few servers fulfil, such as a name, narrows a stream to ids first; its
/// page is then sorted. If more than `most` servers fulfil it, they are found soon enough in the order of the list.
/// Patterns of names are tested on the names of a stream, which an index has, and only then are the servers read that
/// pass.
struct ServerPages {
    typealias Order = [(column: ServerColumn, ascending: Bool)]

    /// The values that are read of each server.
    enum Selection: String {
        case details = "s.details, s.id, s.project_id, s.host, s.vm_state"
        case brief = "s.id, s.name"
        /// The brief values, and what the server's status follows from.
        case briefWithState = "s.id, s.name, s.vm_state"
        case name = "s.name"

        fileprivate var count: Int {
            switch self {
            case .details: 5
            case .brief: 2
            case .briefWithState: 3
            case .name: 1
            }
        }
    }

    struct Found {
        let row: Row
        private let selection: Selection

        fileprivate init(_ row: Row, _ selection: Selection) { (self.row, self.selection) = (row, selection) }

        func stored() throws -> StoredServer { try ServerStore.stored(row) }
        func brief() throws -> ServerBrief { ServerBrief(id: ID(try row.value(at: 0)), name: try row.value(at: 1)) }
        fileprivate func name() throws -> String { try row.value(at: 0) }

        /// Returns the server's id and state; for a selection with the state.
        func state() throws -> (id: ID<Kind.Server>, state: VMState) {
            let (id, state) = selection == .details ? (1, 4) : (0, 2)
            return (ID(try row.value(at: id)), try ServerStore.state(row, at: state))
        }

        /// The place of the row in the order, behind which the next page begins.
        var place: [SQLValue] { Array(row.values[selection.count...]) }

        /// Returns a value of the place.
        fileprivate func value(_ key: Int) -> SQLValue { row.values[selection.count + key] }
    }

    private struct Stream {
        let table: ServerTable
        var state: VMState?
        var ids: [String]?
    }

    private let filter: ServerFilter
    private let order: Order
    private let streams: [Stream]

    /// Prepares a list.
    ///
    /// - Parameter order: the order, which ends with `id`, so that no two servers are equal.
    init(_ filter: ServerFilter, in tables: [ServerTable], by order: Order, tx: Transaction) throws {
        self.filter = filter
        self.order = try Keyset.distinct(order)
        streams = try tables.flatMap { table -> [Stream] in
            if let ids = try Self.narrowed(filter, table, in: tx) { return [Stream(table: table, ids: ids)] }
            guard let states = filter.states else { return [Stream(table: table)] }
            if table == .archive { return states.contains(.deleted) ? [Stream(table: table)] : [] }
            return states.map { Stream(table: table, state: $0) }
        }
    }

    /// Returns the place of a server in the order.
    func place(of server: Server) -> [SQLValue] { order.map { $0.column.value(of: server) } }

    /// Returns the next servers.
    ///
    /// - Parameter place: the place of the last server before them; nil for the first page.
    func next(_ selection: Selection, after place: [SQLValue]?, limit: Int, in tx: Transaction) throws -> [Found] {
        let found = try streams.map { stream in
            filter.namePatterns.isEmpty
                ? try rows(stream, selection, after: place, limit: limit, in: tx)
                : try named(stream, selection, after: place, limit: limit, in: tx)
        }
        guard found.count > 1 else { return found.first ?? [] }
        return Array(found.joined().sorted(by: precedes).prefix(limit))
    }

    /// The number of names that are read at a time.
    private static let namesAtOnce = 1000

    /// Returns the next servers of a stream whose names fulfil the patterns.
    private func named(
        _ stream: Stream, _ selection: Selection, after place: [SQLValue]?, limit: Int, in tx: Transaction
    ) throws -> [Found] {
        var (found, place) = ([Found](), place)
        while found.count < limit {
            let names = try rows(stream, .name, after: place, limit: Self.namesAtOnce, in: tx)
            let ids = try names.compactMap { one -> String? in
                let name = try one.name()
                guard filter.namePatterns.allSatisfy({ $0.isFound(in: name) }) else { return nil }
                return try one.row["id"]
            }
            if !ids.isEmpty {
                let few = Stream(table: stream.table, ids: ids)
                found += try rows(few, selection, after: nil, limit: limit - found.count, in: tx)
            }
            guard names.count == Self.namesAtOnce, let last = names.last else { break }
            place = last.place
        }
        return found
    }

    private func rows(
        _ stream: Stream, _ selection: Selection, after place: [SQLValue]?, limit: Int, in tx: Transaction
    ) throws -> [Found] {
        let keys = order.map { (column: $0.column.sql(in: stream.table), ascending: $0.ascending) }
        var conditions = conditions(stream)
        conditions.after(keys, place)
        let columns = "\(selection.rawValue), \(keys.map(\.column).joined(separator: ", "))"
        return try tx.rows(
            """
            SELECT \(columns) FROM \(stream.table.rawValue) AS s \(conditions.clause) \(Keyset.ordering(keys)) LIMIT ?
            """,
            arguments: conditions.arguments + [limit.sql]
        ).map { Found($0, selection) }
    }

    private func precedes(_ left: Found, _ right: Found) -> Bool {
        for (at, key) in order.enumerated() where left.value(at) != right.value(at) {
            switch (left.value(at), right.value(at)) {
            case (.integer(let a), .integer(let b)): return (a < b) == key.ascending
            case (.text(let a), .text(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8) == key.ascending
            default: return false
            }
        }
        return false
    }

    // MARK: Conditions

    private func conditions(_ stream: Stream) -> Conditions {
        // If the ids are known, the database shall begin with them and use no other index.
        func key(_ column: String) -> String { stream.ids == nil ? "s.\(column)" : Self.unindexed(column) }
        var conditions = Conditions()
        conditions.isIn("s.id", stream.ids)
        conditions.equal(key("project_id"), filter.projectID)
        conditions.equal(key("user_id"), filter.userID)
        conditions.equal(key("image_id"), filter.imageID)
        conditions.equal(key("flavor_id"), filter.flavorID)
        conditions.equal(key("vm_state"), stream.state?.rawValue)
        if stream.ids != nil, stream.table == .existing {
            conditions.isIn(key("vm_state"), filter.states.map { $0.map(\.rawValue).sorted() })
        } else if stream.table == .archive, filter.states?.contains(.deleted) == false {
            conditions.add("1 = 0")
        }
        // These were too many to begin with.
        conditions.equal(Self.unindexed("host"), filter.host)
        conditions.within(Self.unindexed("name"), filter.name)
        if let part = filter.namePart { conditions.add("replace(s.name, ?, '') <> s.name", [part.sql]) }
        conditions.atLeast("s.\(stream.table.changed) + 0", filter.changedSince)
        conditions.atMost("s.\(stream.table.changed) + 0", filter.changedBefore)
        if stream.table == .existing { Self.add(filter.tags, to: &conditions) }
        return conditions
    }

    /// Returns a text column as an expression for which no index serves.
    private static func unindexed(_ column: String) -> String { "(s.\(column) || '')" }

    private static func add(_ tags: ServerTagFilter, to conditions: inout Conditions) {
        for (wanted, comparison) in [
            (tags.all, "= \(tags.all?.count ?? 0)"), (tags.any, "> 0"), (tags.notAll, "< \(tags.notAll?.count ?? 0)"),
            (tags.notAny, "= 0"),
        ] {
            guard let wanted else { continue }
            let marks = wanted.isEmpty ? "NULL" : wanted.map { _ in "?" }.joined(separator: ", ")
            conditions.add(
                """
                (SELECT count(*) FROM compute_server_tag t
                  WHERE t.server_id = s.id AND t.tag IN (\(marks))) \(comparison)
                """,
                wanted.sorted().map(\.sql))
        }
    }

    // MARK: Narrowing

    /// The most ids that a stream is narrowed to.
    static let most = 1000  // tidy: allow bound, of a search

    /// Returns the ids of the servers that fulfil a condition which few may fulfil; nil if there is no such condition
    /// or too many fulfil it. The other conditions are still to be checked.
    private static func narrowed(_ filter: ServerFilter, _ table: ServerTable, in tx: Transaction) throws -> [String]? {
        if let ids = filter.ids { return ids }
        for (source, conditions) in narrowings(filter, table) {
            let rows = try tx.rows(
                "SELECT \(source) \(conditions.clause) LIMIT ?", arguments: conditions.arguments + [(most + 1).sql])
            if rows.count <= most { return try rows.map { try $0.value(at: 0) } }
        }
        return nil
    }

    private static func narrowings(_ filter: ServerFilter, _ table: ServerTable) -> [(
        source: String, conditions: Conditions
    )] {
        var all: [(String, Conditions)] = []
        func add(_ source: String, if isWanted: Bool, _ fill: (inout Conditions) -> Void) {
            guard isWanted else { return }
            var conditions = Conditions()
            fill(&conditions)
            all.append((source, conditions))
        }
        let id = "id FROM \(table.rawValue)"
        if table == .existing {
            add(id, if: filter.name != nil) { conditions in
                conditions.within("name", filter.name)
                // A range of names is found by the names, although an equal project looks better to SQLite.
                if case .beginning = filter.name {
                    conditions.equal("(project_id || '')", filter.projectID)
                } else {
                    conditions.equal("project_id", filter.projectID)
                }
            }
            add(id, if: filter.host != nil) { $0.equal("host", filter.host) }
            let tag = "server_id FROM compute_server_tag"
            add(tag, if: filter.tags.all?.isEmpty == false) { $0.equal("tag", filter.tags.all?.min()) }
            add("DISTINCT \(tag)", if: filter.tags.any != nil) { $0.isIn("tag", filter.tags.any?.sorted()) }
        }
        add(id, if: filter.changedSince != nil) { conditions in
            conditions.equal("project_id", filter.projectID)
            conditions.atLeast(table.changed, filter.changedSince)
            conditions.atMost(table.changed, filter.changedBefore)
        }
        return all
    }
}
