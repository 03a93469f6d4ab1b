import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The registered limits.
struct RegisteredLimitService: IdentityService {
    typealias R = RegisteredLimit

    let identity: IdentityContext

    func conflict(with limit: RegisteredLimit) -> CloudError {
        .conflict("A limit is registered already for that resource of the service in the region.")
    }

    func bodies(of body: JSONObject) throws -> (given: [Given<RegisteredLimit>], isBulk: Bool) {
        (try RegisteredLimit.schema.many(from: body), true)
    }

    func action(_ verb: String, _ limit: RegisteredLimit?) -> Action {
        verb == "create" ? .createRegisteredLimits : context.action("\(verb)_registered_limit")
    }

    func willCreate(
        _ limit: inout RegisteredLimit, _ given: Given<RegisteredLimit>, by caller: Principal, in tx: Transaction
    ) throws {
        try check(limit, in: tx)
    }

    func willUpdate(
        _ limit: inout RegisteredLimit, from old: RegisteredLimit, _ given: Given<RegisteredLimit>, by caller: Principal, in tx: Transaction
    ) throws {
        try check(limit, in: tx)
        try requireUnused(old, in: tx)
    }

    func willDelete(_ limit: RegisteredLimit, by caller: Principal, in tx: Transaction) throws {
        try requireUnused(limit, in: tx)
    }

    /// Throws if limits override the registered one. To change it would change the resource that they limit.
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
    /// Throws `CloudError.badRequest` if there is no service with this id, which comes from a body.
    func requireService(_ id: ID<CatalogService>) throws {
        guard try ResourceStore<CatalogService>().find(id, in: self) != nil else {
            throw CloudError.badRequest("Could not find service: \(id).")
        }
    }
}

extension ResourceSchema {
    /// Reads a body with a list of new resources.
    ///
    /// - Throws: `CloudError.badRequest` that names the place of the error.
    func many(from body: JSONObject) throws -> [Given<R>] {
        try Shape.object([.init(plural, .array(shapes.create, 1...10_000), required: true)]).check(.object(body), at: plural)
        let objects = (body[plural]?.array ?? []).compactMap(\.object)
        return try objects.enumerated().map { try Given($1, at: "\(plural)/\($0)") }
    }
}
