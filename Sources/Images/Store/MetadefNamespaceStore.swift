import CloudCore
import Resources
import SQL

/// The rows of namespaces and of resource types.
struct MetadefNamespaceStore: Sendable {
    let rows = ResourceStore<MetadefNamespace>()

    /// The filter of a list of namespaces.
    struct Filter: Sendable {
        var visibility: String?
        /// The resource types of which a namespace must be associated with at least one; nil for all namespaces.
        var resourceTypes: [String]?
        /// The viewer whose private namespaces are listed; nil to list all.
        var visibleTo: Viewer?
    }

    /// A viewer, who sees public namespaces and those of its project.
    struct Viewer: Sendable {
        var projectID: String?
    }

    func find(_ name: String, in tx: Transaction) throws -> MetadefNamespace? {
        var query = ListQuery()
        query.filter("namespace", .equals, name)
        return try rows.all(query, in: tx).first
    }

    /// Returns a page of namespaces.
    ///
    /// - Parameter marker: the id of the last namespace that the caller has seen.
    func page(
        _ filter: Filter, _ page: MetadefPage, marker: String?, in tx: Transaction
    ) throws -> (rows: [MetadefNamespace], hasMore: Bool) {
        var query = page.query(marker: marker, then: ["created_at"], nullable: ["display_name", "description"])
        if let visibility = filter.visibility { query.filter("visibility", .equals, visibility) }
        if let types = filter.resourceTypes {
            var associated = ListQuery()
            associated.filter("name", in: types)
            let (sql, arguments) = associated.clause
            query.raw.append(("id IN (SELECT namespace_id FROM image_metadef_association WHERE \(sql))", arguments))
        }
        if let viewer = filter.visibleTo {
            let own = viewer.projectID.map { (" OR owner = ?", [$0.sql]) } ?? ("", [])
            query.raw.append(("visibility = ?" + own.0, [MetadefNamespace.public.sql] + own.1))
        }
        return try rows.page(query, in: tx)
    }

    // MARK: What is in them

    func contents(of namespace: MetadefNamespace, in tx: Transaction) throws -> MetadefContents {
        MetadefContents(
            associations: try MetadefPartStore().all(of: [namespace.id], in: tx),
            properties: try MetadefPartStore().all(of: [namespace.id], in: tx),
            objects: try MetadefPartStore().all(of: [namespace.id], in: tx),
            tags: try MetadefPartStore().all(of: [namespace.id], in: tx))
    }

    // MARK: What comes with the cloud

    /// Returns the names of the namespaces that were loaded once, also of those that are deleted.
    func shipped(in tx: Transaction) throws -> Set<String> {
        Set(try tx.rows("SELECT namespace FROM image_metadef_shipped").map { try $0.value(at: 0) })
    }

    /// Records that a namespace was loaded. Returns whether it was not recorded before.
    func markShipped(_ name: String, in tx: Transaction) throws -> Bool {
        try tx.execute("INSERT INTO image_metadef_shipped (namespace) VALUES (?) ON CONFLICT DO NOTHING", name) > 0
    }

    // MARK: Resource types

    func resourceTypes(in tx: Transaction) throws -> [MetadefResourceType] {
        try tx.rows("SELECT name, created_at, updated_at FROM image_metadef_resource_type ORDER BY created_at, name").map { row in
            MetadefResourceType(name: try row.value(at: 0), createdAt: try row.value(at: 1), updatedAt: try row.value(at: 2))
        }
    }

    /// Creates the resource types that do not exist.
    func ensureResourceTypes(_ names: [String], at now: Timestamp, in tx: Transaction) throws {
        guard !names.isEmpty else { return }
        try tx.execute(
            """
            INSERT INTO image_metadef_resource_type (name, created_at, updated_at) \
            VALUES \(names.map { _ in "(?, ?, ?)" }.joined(separator: ", ")) ON CONFLICT DO NOTHING
            """, arguments: names.flatMap { [$0.sql, now.sql, now.sql] })
    }
}

/// The page and the order of a list.
struct MetadefPage: Sendable {
    /// The most rows; nil for all.
    var limit: Int?
    /// The name of the last row that the caller has seen.
    var marker: String?
    var sortKey = "created_at"
    var isAscending = false

    /// Returns the query of the page.
    ///
    /// - Parameters:
    ///   - marker: the id of the row that `self.marker` names.
    ///   - then: the columns that order rows with equal sort keys.
    ///   - nullable: the columns that may have no value; they hold texts.
    func query(marker: String?, then: [String], nullable: Set<String> = []) -> ListQuery {
        var query = ListQuery()
        query.limit = limit
        query.marker = marker
        query.sort = ([sortKey] + then.filter { $0 != sortKey }).map { column in
            (nullable.contains(column) ? "coalesce(\(column), '')" : column, isAscending)
        }
        return query
    }
}
