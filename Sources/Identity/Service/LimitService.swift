import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The limits of projects and domains.
struct LimitService: IdentityService {
    typealias R = Limit

    let identity: IdentityContext
    private let projects = ResourceStore<Project>()

    var model: IdentitySettings.LimitModel { identity.settings.limitModel }

    func conflict(with limit: Limit) -> CloudError {
        .conflict("The project or domain has a limit of that resource already.")
    }

    /// Only ids that are set are in the target. A null would match the null of a caller without a domain.
    func targets(of rows: [Limit], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        try rows.map { limit in
            var target: PolicyTarget = [:]
            if let id = limit.projectID {
                target.set("target.limit.project_id", to: id.text)
                if let domain = try projects.find(id, in: tx)?.domainID { target.set("target.limit.project.domain_id", to: domain.text) }
            }
            if let id = limit.domainID { target.set("target.limit.domain.id", to: id.text) }
            return target
        }
    }

    // MARK: Create and change

    func bodies(of body: JSONObject) throws -> (given: [Given<Limit>], isBulk: Bool) {
        (try Limit.schema.many(from: body), true)
    }

    func action(_ verb: String, _ limit: Limit?) -> Action {
        verb == "create" ? .createLimits : context.action("\(verb)_limit")
    }

    func complete(_ limit: inout Limit, _ given: Given<Limit>, by caller: Principal) throws {
        guard given.has(\.projectID) != given.has(\.domainID), limit.projectID != nil || limit.domainID != nil else {
            throw Shape.wrong(given.place, "it must have either a project_id or a domain_id")
        }
    }

    func willCreate(together limits: inout [Limit], by caller: Principal, in tx: Transaction) throws {
        limits = try limits.map { try placed($0, in: tx) }
        try check(limits, in: tx)
    }

    func willCreate(_ limit: inout Limit, _ given: Given<Limit>, by caller: Principal, in tx: Transaction) throws {
        limit.registeredLimitID = try registered(for: limit, in: tx)
    }

    func willUpdate(
        _ limit: inout Limit, from old: Limit, _ given: Given<Limit>, by caller: Principal, in tx: Transaction
    ) throws {
        try check([limit], in: tx)
    }

    private func check(_ limits: [Limit], in tx: Transaction) throws {
        if model == .strictTwoLevel { try StrictTwoLevel().check(limits, in: tx) }
    }

    /// Checks the ids that a body refers to. A limit for a project that acts as a domain becomes a limit for the
    /// domain.
    private func placed(_ limit: Limit, in tx: Transaction) throws -> Limit {
        var limit = limit
        try tx.requireService(limit.serviceID)
        if let id = limit.regionID, try ResourceStore<Region>().find(id, in: tx) == nil {
            throw CloudError.badRequest("Could not find region: \(id).")
        }
        if let id = limit.projectID {
            guard let project = try projects.find(id, in: tx) else {
                throw CloudError.badRequest("Could not find project: \(id).")
            }
            if project.isDomain {
                limit.projectID = nil
                limit.domainID = id.asDomain
            }
        }
        if let id = limit.domainID, try projects.find(id.asProject, in: tx)?.isDomain != true {
            throw CloudError.badRequest("Could not find domain: \(id).")
        }
        return limit
    }

    private func registered(for limit: Limit, in tx: Transaction) throws -> ID<RegisteredLimit> {
        var query = ListQuery()
        query.filter("service_id", .equals, limit.serviceID)
        query.filter("region_id", .equals, limit.regionID)
        query.filter("resource_name", .equals, limit.resourceName)
        guard let found = try ResourceStore<RegisteredLimit>().all(query, in: tx).first else {
            throw CloudError.forbidden("Unable to create a limit that has no corresponding registered limit.")
        }
        return found.id
    }

    // MARK: Lists

    /// Administrators and services see all limits. Other callers see those of the domain or project in their scope.
    func narrow(_ list: inout ListQuery, _ query: Query, by caller: Principal, in tx: Transaction) throws {
        if caller.isSystemScoped || caller.hasRole("admin") || caller.hasRole("service") { return }
        switch caller.scope {
        case .domain(let domain):
            list.raw.append(LimitStore.ofAll(in: ID(domain.id)))
        case .project(let id, _, _): list.filter("project_id", .equals, id)
        case .unscoped, .system: list.raw.append(("1 = 0", []))
        }
    }
}
