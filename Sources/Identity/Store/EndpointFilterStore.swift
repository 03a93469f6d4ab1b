import CloudCore
import Resources
import SQL

/// The associations of projects with the endpoints and endpoint groups that they are shown.
struct EndpointFilterStore: Sendable {
    private let endpoints = ResourceStore<Endpoint>()
    private let groups = ResourceStore<EndpointGroup>()
    private let projects = ResourceStore<Project>()

    /// An endpoint or a group that a project is associated with. The two tables have the same form.
    enum Shown: Sendable {
        case endpoint(ID<Endpoint>)
        case group(ID<EndpointGroup>)

        var id: String {
            switch self {
            case .endpoint(let id): id.text
            case .group(let id): id.text
            }
        }

        var table: String {
            switch self {
            case .endpoint: "identity_project_endpoint"
            case .group: "identity_project_endpoint_group"
            }
        }

        var column: String {
            switch self {
            case .endpoint: "endpoint_id"
            case .group: "endpoint_group_id"
            }
        }
    }

    func insert(_ shown: Shown, _ project: ID<Kind.Project>, in tx: Transaction) throws {
        try tx.execute("INSERT INTO \(shown.table) (project_id, \(shown.column)) VALUES (?, ?)", project, shown.id)
    }

    func delete(_ shown: Shown, _ project: ID<Kind.Project>, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM \(shown.table) WHERE project_id = ? AND \(shown.column) = ?", project, shown.id) > 0
    }

    func exists(_ shown: Shown, _ project: ID<Kind.Project>, in tx: Transaction) throws -> Bool {
        let found: String? = try tx.value(
            "SELECT project_id FROM \(shown.table) WHERE project_id = ? AND \(shown.column) = ?", project, shown.id)
        return found != nil
    }

    func projects(shown: Shown, in tx: Transaction) throws -> [Project] {
        var query = ListQuery()
        query.raw.append(("id IN (SELECT project_id FROM \(shown.table) WHERE \(shown.column) = ?)", [.text(shown.id)]))
        return try projects.all(query, in: tx)
    }

    func groups(of project: ID<Kind.Project>, in tx: Transaction) throws -> [EndpointGroup] {
        var query = ListQuery()
        query.raw.append(("id IN (SELECT endpoint_group_id FROM identity_project_endpoint_group WHERE project_id = ?)", [project.sql]))
        return try groups.all(query, in: tx)
    }

    /// Returns the endpoints that a project is associated with, directly or by a group.
    func endpoints(of project: ID<Kind.Project>, in tx: Transaction) throws -> [Endpoint] {
        var query = ListQuery()
        query.raw.append(("id IN (SELECT endpoint_id FROM identity_project_endpoint WHERE project_id = ?)", [project.sql]))
        var found = try endpoints.all(query, in: tx)
        for group in try groups(of: project, in: tx) {
            for endpoint in try CatalogStore().endpoints(matching: group.filters, in: tx)
            where !found.contains(where: { $0.id == endpoint.id }) {
                found.append(endpoint)
            }
        }
        return found
    }
}
