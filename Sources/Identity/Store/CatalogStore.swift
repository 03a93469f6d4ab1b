import CloudCore
import Resources
import SQL

/// The catalog as tokens show it.
struct CatalogStore: Sendable {
    /// A service with its endpoints.
    struct Entry: Sendable {
        struct Place: Sendable {
            var id: String
            var interface: String
            var regionID: String?
            var url: String
        }

        var id: String
        var type: String
        var name: String
        var endpoints: [Place]
    }

    /// Returns the URL of every public endpoint of a region, with the type of its service.
    func publicEndpoints(of region: String, in tx: Transaction) throws -> [(type: String, url: String)] {
        try tx.rows(
            """
            SELECT s.type, e.url FROM identity_service s JOIN identity_endpoint e ON e.service_id = s.id
            WHERE e.interface = 'public' AND e.region_id = ?
            """, region
        ).map { (type: try $0["type"], url: try $0["url"]) }
    }

    /// Returns the id of the first service of a type.
    func service(_ type: String, in tx: Transaction) throws -> ID<CatalogService>? {
        try tx.value("SELECT id FROM identity_service WHERE type = ? ORDER BY id LIMIT 1", type)
    }

    /// Changes the URL of a service's endpoints for an interface and a region.
    ///
    /// - Returns: whether there were any.
    func move(
        _ service: ID<CatalogService>, interface: String, region: String, to url: String, in tx: Transaction
    ) throws -> Bool {
        try tx.execute(
            "UPDATE identity_endpoint SET url = ? WHERE service_id = ? AND interface = ? AND region_id = ?",
            url, service, interface, region) > 0
    }

    /// Returns the enabled services and endpoints that a project sees.
    ///
    /// A project that is associated with endpoints or endpoint groups sees only those (OS-EP-FILTER). Any other project
    /// sees all.
    func catalog(of project: ID<Kind.Project>?, in tx: Transaction) throws -> [Entry] {
        let rows = try tx.rows(
            """
            SELECT s.id AS service_id, s.type, s.name, e.id, e.interface, e.region_id, e.url
            FROM identity_service s LEFT JOIN identity_endpoint e ON e.service_id = s.id AND e.enabled = 1
            WHERE s.enabled = 1 ORDER BY s.type, s.id, e.interface, e.id
            """)
        let chosen = try project.flatMap { try chosenEndpoints(of: $0, in: tx) }
        var entries: [Entry] = []
        for row in rows {
            let service: String = try row["service_id"]
            if entries.last?.id != service {
                entries.append(Entry(id: service, type: try row["type"], name: try row["name"] ?? "", endpoints: []))
            }
            guard let id: String = try row["id"], chosen?.contains(id) ?? true else { continue }
            let url: String = try row["url"]
            guard let filled = Self.fill(url, project) else { continue }
            entries[entries.count - 1].endpoints.append(
                Entry.Place(id: id, interface: try row["interface"], regionID: try row["region_id"], url: filled))
        }
        return chosen == nil ? entries : entries.filter { !$0.endpoints.isEmpty }
    }

    /// Returns the endpoints that a project is associated with; nil if it is associated with none.
    private func chosenEndpoints(of project: ID<Kind.Project>, in tx: Transaction) throws -> Set<String>? {
        let direct: [String] = try tx.rows("SELECT endpoint_id FROM identity_project_endpoint WHERE project_id = ?", project)
            .map { try $0["endpoint_id"] }
        let groups = try tx.rows(
            """
            SELECT g.filters FROM identity_endpoint_group g
            JOIN identity_project_endpoint_group p ON p.endpoint_group_id = g.id WHERE p.project_id = ?
            """, project
        ).map { try $0["filters"] as JSONObject }
        guard !direct.isEmpty || !groups.isEmpty else { return nil }
        var chosen = Set(direct)
        for filters in groups { chosen.formUnion(try endpoints(matching: filters, in: tx).map(\.id.text)) }
        return chosen
    }

    /// Returns the endpoints that match the filters of an endpoint group.
    func endpoints(matching filters: JSONObject, in tx: Transaction) throws -> [Endpoint] {
        var query = ListQuery()
        for (name, value) in filters.members {
            guard ["interface", "service_id", "region_id", "enabled"].contains(name) else { continue }
            switch value {
            case .string(let text): query.filter(name, .equals, text)
            case .bool(let flag): query.filter(name, .equals, flag)
            // Null matches the endpoints without a region, not those of any region.
            case .null: query.filter(name, .equals, nil as String?)
            default: continue
            }
        }
        return try ResourceStore<Endpoint>().all(query, in: tx)
    }

    // MARK: Regions and limits

    /// Returns a region and all regions within it, outermost first.
    func regions(from root: ID<Region>, in tx: Transaction) throws -> [ID<Region>] {
        try tx.rows(
            """
            WITH RECURSIVE tree (id, depth) AS (
              SELECT id, CAST(0 AS BIGINT) FROM identity_region WHERE id = ?
              UNION ALL SELECT r.id, t.depth + 1 FROM identity_region r JOIN tree t ON r.parent_region_id = t.id)
            SELECT id FROM tree ORDER BY depth, id
            """, root
        ).map { try $0["id"] }
    }

    func hasEndpoints(region: ID<Region>, in tx: Transaction) throws -> Bool {
        try tx.value("SELECT id FROM identity_endpoint WHERE region_id = ? LIMIT 1", region) as String? != nil
    }

    enum Registration: String, Sendable { case service = "service_id", region = "region_id" }

    /// Removes the limits that are registered for a service or a region, and the limits that override them.
    func removeLimits(of what: Registration, _ id: String, in tx: Transaction) throws {
        try tx.execute(
            "DELETE FROM identity_limit WHERE registered_limit_id IN (SELECT id FROM identity_registered_limit WHERE \(what.rawValue) = ?)", id)
        try tx.execute("DELETE FROM identity_registered_limit WHERE \(what.rawValue) = ?", id)
    }

    /// Returns a URL with the project's id in its placeholders (`$(project_id)s`, `%(tenant_id)s`). Returns nil if the
    /// URL has a placeholder and there is no project: such an endpoint is not shown.
    static func fill(_ url: String, _ project: ID<Kind.Project>?) -> String? {
        guard url.utf8.contains(UInt8(ascii: "(")) else { return url }
        var filled = url
        for name in ["project_id", "tenant_id"] {
            for mark in ["$", "%"] {
                let place = "\(mark)(\(name))s"
                guard filled.contains(place) else { continue }
                guard let project else { return nil }
                filled = filled.replacing(place, with: project.text)
            }
        }
        return filled
    }
}
