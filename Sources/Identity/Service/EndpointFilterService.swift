import Access
import CloudCore
import Resources
import SQL

/// The associations of projects with the endpoints and endpoint groups that they are shown (OS-EP-FILTER).
struct EndpointFilterService: Sendable {
    let identity: IdentityContext
    private let filters = EndpointFilterStore()

    typealias Shown = EndpointFilterStore.Shown

    // MARK: One project and what it is shown

    func add(_ shown: Shown, to project: ID<Kind.Project>, by caller: Principal) async throws {
        try identity.policy.require(shown.actions.add, caller)
        do {
            try await identity.base.write { tx in
                try require(shown, project, in: tx)
                try filters.insert(shown, project, in: tx)
            }
        } catch SQLError.uniqueViolation {
            throw CloudError.conflict("The project is shown that already.")
        }
    }

    func check(_ shown: Shown, in project: ID<Kind.Project>, by caller: Principal) async throws {
        try identity.policy.require(shown.actions.check, caller)
        try await identity.base.read { tx in
            try require(shown, project, in: tx)
            guard try filters.exists(shown, project, in: tx) else { throw Self.missing(shown, project) }
        }
    }

    func remove(_ shown: Shown, from project: ID<Kind.Project>, by caller: Principal) async throws {
        try identity.policy.require(shown.actions.remove, caller)
        try await identity.base.write { tx in
            guard try filters.delete(shown, project, in: tx) else { throw Self.missing(shown, project) }
        }
    }

    private func require(_ shown: Shown, _ project: ID<Kind.Project>, in tx: Transaction) throws {
        try require(shown, in: tx)
        _ = try ResourceStore<Project>().require(project, in: tx)
    }

    private func require(_ shown: Shown, in tx: Transaction) throws {
        switch shown {
        case .endpoint(let id): _ = try ResourceStore<Endpoint>().require(id, in: tx)
        case .group(let id): _ = try ResourceStore<EndpointGroup>().require(id, in: tx)
        }
    }

    private static func missing(_ shown: Shown, _ project: ID<Kind.Project>) -> CloudError {
        switch shown {
        case .endpoint(let id): CloudError(.notFound, "Endpoint \(id) not found in project \(project).")
        case .group: CloudError(.notFound, "Endpoint Group Project Association not found.")
        }
    }

    // MARK: Lists

    func projects(shown: Shown, by caller: Principal) async throws -> [Project] {
        try identity.policy.require(shown.actions.list, caller)
        return try await identity.base.read { tx in
            try require(shown, in: tx)
            return try filters.projects(shown: shown, in: tx)
        }
    }

    func endpoints(of project: ID<Kind.Project>, by caller: Principal) async throws -> [Endpoint] {
        try identity.policy.require(.listEndpointsForProject, caller)
        return try await identity.base.read { tx in
            _ = try ResourceStore<Project>().require(project, in: tx)
            return try filters.endpoints(of: project, in: tx)
        }
    }

    func groups(of project: ID<Kind.Project>, by caller: Principal) async throws -> [EndpointGroup] {
        try identity.policy.require(.listEndpointGroupsForProject, caller)
        return try await identity.base.read { tx in
            _ = try ResourceStore<Project>().require(project, in: tx)
            return try filters.groups(of: project, in: tx)
        }
    }

    func endpoints(in group: ID<EndpointGroup>, by caller: Principal) async throws -> [Endpoint] {
        try identity.policy.require(.listEndpointsAssociatedWithEndpointGroup, caller)
        return try await identity.base.read { tx in
            let group = try ResourceStore<EndpointGroup>().require(group, in: tx)
            return try CatalogStore().endpoints(matching: group.filters, in: tx)
        }
    }
}

extension EndpointFilterStore.Shown {
    fileprivate var actions: (add: Action, check: Action, remove: Action, list: Action) {
        switch self {
        case .endpoint: (.addEndpointToProject, .checkEndpointInProject, .removeEndpointFromProject, .listProjectsForEndpoint)
        case .group:
            (
                .addEndpointGroupToProject, .getEndpointGroupInProject, .removeEndpointGroupFromProject,
                .listProjectsAssociatedWithEndpointGroup
            )
        }
    }
}
