import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Registered limits.
struct RegisteredLimitService: ResourceService {
    typealias R = RegisteredLimit

    let identity: IdentityContext

    var context: ServiceContext { identity.base }

    func conflict(with limit: RegisteredLimit) -> CloudError {
        .conflict("A limit is registered already for that resource of the service in the region.")
    }

    /// All of a list or none.
    func createAll(_ body: JSONObject, by caller: Principal) async throws -> [RegisteredLimit] {
        let made = try RegisteredLimit.schema.manyNew(from: body).map { limit in
            var limit = limit.resource
            limit.id = newID()
            return limit
        }
        return try await refusingDuplicates(of: nil) {
            try await context.write { tx in
                try context.policy.require(.createRegisteredLimits, caller)
                for limit in made {
                    try check(limit, in: tx)
                    try store.insert(limit, in: tx)
                }
                return made
            }
        }
    }

    func willUpdate(
        _ limit: inout RegisteredLimit, from old: RegisteredLimit, _ given: JSONObject, by caller: Principal, in tx: Transaction
    ) throws {
        try check(limit, in: tx)
        try requireUnused(old, in: tx)
    }

    func willDelete(_ limit: RegisteredLimit, by caller: Principal, in tx: Transaction) throws { try requireUnused(limit, in: tx) }

    /// Limits stand on it: who changed it would change what they are of.
    private func requireUnused(_ limit: RegisteredLimit, in tx: Transaction) throws {
        guard try !LimitStore().uses(limit.id, in: tx) else {
            throw CloudError.forbidden(
                "Unable to update or delete registered limit \(limit.id) because there are project limits associated with it.")
        }
    }

    private func check(_ limit: RegisteredLimit, in tx: Transaction) throws {
        try tx.requireService(limit.serviceID)
        if let region = limit.regionID, try ResourceStore<Region>().find(region, in: tx) == nil {
            throw CloudError.badRequest("Could not find region: \(region).")
        }
    }
}

extension Transaction {
    /// - Throws: `CloudError.badRequest` unless there is such a service: it stands in a body.
    func requireService(_ id: ID<CatalogService>) throws {
        guard try ResourceStore<CatalogService>().find(id, in: self) != nil else {
            throw CloudError.badRequest("Could not find service: \(id).")
        }
    }
}

extension ResourceSchema {
    /// New resources from a body that has a list of them.
    ///
    /// - Throws: `CloudError.badRequest` that names the place.
    func manyNew(from body: JSONObject) throws -> [(resource: R, given: JSONObject)] {
        try Shape.object([.init(plural, .array(shapes.create, 1...10_000), required: true)]).check(.object(body), at: plural)
        return try (body[plural]?.array ?? []).compactMap(\.object).map { given in
            var resource = R()
            try apply(given, to: &resource)
            return (resource, given)
        }
    }
}
