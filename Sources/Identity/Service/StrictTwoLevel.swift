import CloudCore
import Resources
import SQL

/// The rule of the `strict_two_level` model: a project directly in a domain may not have a higher limit than the
/// domain. A domain without a limit of its own has the registered one.
struct StrictTwoLevel: Sendable {
    private let limits = ResourceStore<Limit>()

    /// Checks limits before they are written.
    ///
    /// - Parameter wanted: all limits of one request, so that a domain and its projects can be raised together.
    /// - Throws: `CloudError.forbidden` that names the limit which breaks the rule.
    func check(_ wanted: [Limit], in tx: Transaction) throws {
        for limit in wanted {
            if let project = limit.projectID {
                try check(limit, of: project, wanted, in: tx)
            } else if let domain = limit.domainID {
                try check(limit, of: domain, in: tx)
            }
        }
    }

    private func check(_ limit: Limit, of project: ID<Kind.Project>, _ wanted: [Limit], in tx: Transaction) throws {
        guard let parent = try ResourceStore<Project>().find(project, in: tx)?.parentID?.asDomain else { return }
        let asked = wanted.first { $0.domainID == parent && $0.concerns(limit) }?.resourceLimit
        guard let most = try asked ?? amount(of: parent, like: limit, in: tx) else { return }
        guard Self.size(limit.resourceLimit) <= Self.size(most) else { throw Self.broken(limit, "project_id: \(project)") }
    }

    private func check(_ limit: Limit, of domain: ID<Kind.Domain>, in tx: Transaction) throws {
        var query = Self.query(like: limit)
        query.raw.append(LimitStore.ofProjects(in: domain))
        let below = try limits.all(query, in: tx)
        guard below.allSatisfy({ Self.size($0.resourceLimit) <= Self.size(limit.resourceLimit) }) else {
            throw Self.broken(limit, "domain_id: \(domain)")
        }
    }

    /// Returns a domain's limit of a resource; nil if no limit is registered for it.
    private func amount(of domain: ID<Kind.Domain>, like limit: Limit, in tx: Transaction) throws -> Int? {
        var query = Self.query(like: limit)
        query.filter("domain_id", .equals, domain)
        if let own = try limits.all(query, in: tx).first { return own.resourceLimit }
        return try ResourceStore<RegisteredLimit>().all(Self.query(like: limit), in: tx).first?.defaultLimit
    }

    private static func query(like limit: Limit) -> ListQuery {
        var query = ListQuery()
        query.filter("service_id", .equals, limit.serviceID)
        query.filter("region_id", .equals, limit.regionID)
        query.filter("resource_name", .equals, limit.resourceName)
        return query
    }

    /// Returns a limit's value for comparisons. -1 is unlimited, so it is greater than any number.
    private static func size(_ limit: Int) -> Int { limit < 0 ? .max : limit }

    private static func broken(_ limit: Limit, _ place: String) -> CloudError {
        .forbidden(
            "Invalid resource limit: a limit of \(limit.resourceLimit) for \(limit.resourceName) (\(place), service_id: "
                + "\(limit.serviceID)) doesn't satisfy current hierarchy model.")
    }
}
