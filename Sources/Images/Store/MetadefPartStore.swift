import CloudCore
import Resources
import SQL

/// The rows of one kind of part in namespaces.
struct MetadefPartStore<Part: MetadefPart>: Sendable {
    let rows = ResourceStore<Part>()

    func find(_ name: String, in namespace: MetadefNamespace, _ tx: Transaction) throws -> Part? {
        var query = Self.query(namespace)
        query.filter("name", .equals, name)
        return try rows.all(query, in: tx).first
    }

    /// Returns the parts of several namespaces, in the order in which they were made in each.
    func all(of namespaces: [ID<MetadefNamespace>], in tx: Transaction) throws -> [Part] {
        var query = ListQuery()
        query.filter("namespace_id", in: namespaces)
        query.sort = [("position", true)]
        return try rows.all(query, in: tx)
    }

    /// Returns a page of parts.
    ///
    /// - Parameter marker: the id of the last part that the caller has seen.
    func page(of namespace: MetadefNamespace, _ page: MetadefPage, marker: String?, in tx: Transaction) throws -> [Part] {
        var query = page.query(marker: marker, then: ["created_at", "position"])
        query.filter("namespace_id", .equals, namespace.id)
        return try rows.page(query, in: tx).rows
    }

    /// Returns the position behind all existing parts.
    func nextPosition(in namespace: MetadefNamespace, _ tx: Transaction) throws -> Int {
        try tx.value("SELECT coalesce(max(position), -1) + 1 FROM \(Part.schema.table) WHERE namespace_id = ?", namespace.id) ?? 0
    }

    func deleteAll(in namespace: MetadefNamespace, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM \(Part.schema.table) WHERE namespace_id = ?", namespace.id)
    }

    private static func query(_ namespace: MetadefNamespace) -> ListQuery {
        var query = ListQuery()
        query.filter("namespace_id", .equals, namespace.id)
        return query
    }
}
