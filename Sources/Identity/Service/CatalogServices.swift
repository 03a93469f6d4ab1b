import CloudCore
import HTTPKit
import Resources
import SQL

/// The regions of the catalog.
struct RegionService: IdentityService {
    typealias R = Region

    let identity: IdentityContext
    func conflict(with region: Region) -> CloudError {
        .conflict("A region with the ID '\(region.id)' exists already.")
    }

    /// Takes the id that the caller chose, if the body has one.
    func complete(_ region: inout Region, _ given: Given<Region>, by caller: Principal) throws {
        if case .set(let id) = given.id, !id.isEmpty { region.id = ID(id) }
    }

    /// Creates the region with the id in the URL.
    func create(_ id: ID<Region>, _ body: JSONObject, by caller: Principal) async throws -> Shown<Region> {
        let bodies = try self.bodies(of: body).given
        let regions = try bodies.map { given in
            switch given.id {
            case .clear: throw Shape.wrong("region/id", "a value of the type null is not expected here")
            case .set(let own) where own != id.text: throw CloudError.badRequest("Conflicting region IDs specified: \"\(id)\" != \"\(own)\".")
            case .keep, .set: break
            }
            var region = try draft(given, by: caller)
            region.id = id
            return region
        }
        return try await create(regions, bodies, by: caller)
    }

    func willCreate(_ region: inout Region, _ given: Given<Region>, by caller: Principal, in tx: Transaction) throws {
        try checkParent(region, in: tx)
    }

    func willUpdate(
        _ region: inout Region, from old: Region, _ given: Given<Region>, by caller: Principal, in tx: Transaction
    ) throws {
        try checkParent(region, in: tx)
        var above = region.parentRegionID
        while let id = above {
            guard id != region.id else { throw CloudError.badRequest("A region cannot lie within itself.") }
            above = try store.find(id, in: tx)?.parentRegionID
        }
    }

    /// Deletes the regions within it, and the limits that are registered for any of them.
    func willDelete(_ region: Region, by caller: Principal, in tx: Transaction) throws {
        let catalog = CatalogStore()
        let tree = try catalog.regions(from: region.id, in: tx)
        for id in tree where try catalog.hasEndpoints(region: id, in: tx) {
            throw CloudError.forbidden("Unable to delete region \(region.id) because it or its child regions have associated endpoints.")
        }
        // The innermost regions are deleted first, because a region cannot be deleted before those within it.
        for id in tree.reversed() {
            try catalog.removeLimits(of: .region, id.text, in: tx)
            if id != region.id { try store.delete(id, in: tx) }
        }
    }

    private func checkParent(_ region: Region, in tx: Transaction) throws {
        guard let parent = region.parentRegionID else { return }
        _ = try store.require(parent, in: tx)
    }
}

/// The services of the catalog.
struct CatalogServiceService: IdentityService {
    typealias R = CatalogService

    let identity: IdentityContext
    func willDelete(_ service: CatalogService, by caller: Principal, in tx: Transaction) throws {
        try CatalogStore().removeLimits(of: .service, service.id.text, in: tx)
    }
}

/// The endpoints of the catalog.
struct EndpointService: IdentityService {
    typealias R = Endpoint

    let identity: IdentityContext
    func complete(_ endpoint: inout Endpoint, _ given: Given<Endpoint>, by caller: Principal) throws {
        try settle(&endpoint, given)
    }

    func willCreate(
        _ endpoint: inout Endpoint, _ given: Given<Endpoint>, by caller: Principal, in tx: Transaction
    ) throws {
        try check(endpoint, given, in: tx)
    }

    func willUpdate(
        _ endpoint: inout Endpoint, from old: Endpoint, _ given: Given<Endpoint>, by caller: Principal, in tx: Transaction
    ) throws {
        try settle(&endpoint, given)
        try check(endpoint, given, in: tx)
    }

    /// Takes the region from `region`, the former name of `region_id`.
    private func settle(_ endpoint: inout Endpoint, _ given: Given<Endpoint>) throws {
        guard let region = given.region, !given.has(\.regionID) else { return }
        try Endpoint.region.check(region, at: "endpoint/region_id")
        endpoint.regionID = region.string.map { ID($0) }
    }

    private func check(_ endpoint: Endpoint, _ given: Given<Endpoint>, in tx: Transaction) throws {
        // A region that the former attribute names is created if it is missing, as the reference did before regions had
        // an API of their own.
        if let id = endpoint.regionID, try ResourceStore<Region>().find(id, in: tx) == nil {
            guard given.region != nil else { throw CloudError.badRequest("Could not find region: \(id).") }
            var region = Region()
            region.id = id
            try ResourceStore<Region>().insert(region, in: tx)
        }
        guard try ResourceStore<CatalogService>().find(endpoint.serviceID, in: tx) != nil else {
            throw CloudError.badRequest("Could not find service: \(endpoint.serviceID).")
        }
        // An endpoint with a placeholder that cannot be filled in would be missing in every catalog.
        let places = endpoint.url.matches(of: /[$%]\((\w*)\)s?/)
        let known: Set<Substring> = ["project_id", "tenant_id", "user_id"]
        for place in places where !known.contains(place.1) {
            throw CloudError.badRequest("Malformed endpoint URL (\(endpoint.url)): '\(place.1)' cannot be filled in.")
        }
    }
}
