import CloudCore
import SQL

/// The reader of the rows for the index of hosts: all of them, those that commits have named, or those of a few hosts.
struct HostIndexStore: CopyStore {
    let topic = Topic.hosts
    /// The hosts, whose reports the index follows beside the rows.
    let hosts: any HostsNeed

    /// Rows of former releases have no `disk_on_host`.
    private static let columns = "id, host, other_host, group_id, vm_state, vcpus, ram, coalesce(disk_on_host, disk)"
    /// The most servers that are read at once, so that not all rows are in memory together.
    private static let batch = 5000

    func isCurrent(_ index: HostIndex) -> Bool { hosts.position == index.position }

    func load(in tx: Transaction) throws -> HostIndex {
        var index = HostIndex()
        var low = ""
        while true {
            let rows = try tx.rows(
                """
                SELECT \(Self.columns) FROM compute_server WHERE id > ? AND (host IS NOT NULL OR other_host IS NOT NULL)
                ORDER BY id LIMIT \(Self.batch)
                """, low)
            let residents = try rows.map(Self.resident)
            guard let last = residents.last else { break }
            index.apply(.init(residents: residents))
            low = last.id
        }
        var changes = HostIndex.Changes(
            entries: try HostStore().list(in: tx), aggregates: try AggregateStore().list(in: tx))
        addReports(since: index, to: &changes)
        index.apply(changes)
        return index
    }

    func follow(_ old: HostIndex, _ keys: Set<String>, in tx: Transaction) throws -> HostIndex {
        var (index, changes) = (old, HostIndex.Changes())
        if keys.contains(HostKey.aggregates) { changes.aggregates = try AggregateStore().list(in: tx) }
        for key in keys {
            if let id = HostKey.server(in: key) { changes.servers.insert(id) }
            if let name = HostKey.host(in: key) { changes.hosts.insert(name) }
        }
        changes.residents = try residents(changes.servers, by: ["id"], in: tx)
        changes.entries = try HostStore().list(changes.hosts.sorted(), in: tx)
        addReports(since: old, to: &changes)
        index.apply(changes)
        return index
    }

    private func addReports(since index: HostIndex, to changes: inout HostIndex.Changes) {
        let news = hosts.news(since: index.position)
        changes.facts = news.reports.map(Placing.Offer.Host.init)
        changes.position = news.position
    }

    /// Returns an index of some hosts, from the rows of these hosts alone.
    ///
    /// - Parameter facts: the facts that the hosts have reported.
    func index(of facts: [Placing.Offer.Host], in tx: Transaction) throws -> HostIndex {
        let names = Set(facts.map(\.name)).sorted()
        var changes = HostIndex.Changes(
            residents: try residents(Set(names), by: ["host", "other_host"], in: tx),
            entries: try HostStore().list(names, in: tx),
            aggregates: try AggregateStore().list(of: names, in: tx))
        changes.facts = facts
        return HostIndex(changes)
    }

    /// Returns the servers that have one of the values in one of the columns.
    private func residents(_ values: Set<String>, by columns: [String], in tx: Transaction) throws -> [HostIndex
        .Resident]
    {
        var found: [String: HostIndex.Resident] = [:]
        for (list, arguments) in tx.pieces(of: values.sorted().map(\.sql)) {
            for column in columns {
                let sql = "SELECT \(Self.columns) FROM compute_server WHERE \(column) \(list)"
                for row in try tx.rows(sql, arguments: arguments) {
                    let resident = try Self.resident(row)
                    found[resident.id] = resident
                }
            }
        }
        return Array(found.values)
    }

    private static func resident(_ row: Row) throws -> HostIndex.Resident {
        let state: String = try row.value(at: 4)
        return HostIndex.Resident(
            id: try row.value(at: 0), host: try row.value(at: 1), otherHost: try row.value(at: 2),
            groupID: try row.value(at: 3),
            state: VMState(rawValue: state),
            size: .init(
                servers: 1, vcpus: try row.value(at: 5), memoryMiB: try row.value(at: 6), diskGiB: try row.value(at: 7))
        )
    }
}

extension Topic {
    /// The topic that the index of hosts follows.
    static let hosts = Topic("compute-hosts")
}

/// The keys under which stores name what they change of the hosts and their servers.
enum HostKey {
    static let aggregates = "aggregates"

    static func server(_ id: String) -> String { "server/\(id)" }
    static func host(_ name: String) -> String { "host/\(name)" }
    static func server(in key: String) -> String? { rest(of: key, behind: "server/") }
    static func host(in key: String) -> String? { rest(of: key, behind: "host/") }

    private static func rest(of key: String, behind prefix: String) -> String? {
        key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
    }
}

/// The stores name what they change, so no caller of a store can forget it.
extension Transaction {
    func touchedServers(_ ids: some Sequence<String>) { changed(.hosts, ids.lazy.map(HostKey.server)) }
    func touchedHost(_ name: String) { changed(.hosts, [HostKey.host(name)]) }
    func touchedAggregates() { changed(.hosts, [HostKey.aggregates]) }
}
