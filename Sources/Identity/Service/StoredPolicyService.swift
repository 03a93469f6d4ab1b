import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The stored policies, and the endpoints that they are for.
struct StoredPolicyService: IdentityService {
    typealias R = StoredPolicy

    let identity: IdentityContext
    private let places = PolicyPlaceStore()
    private let endpoints = ResourceStore<Endpoint>()

    // MARK: Places

    func put(_ policy: ID<StoredPolicy>, for place: PolicyPlace, by caller: Principal) async throws {
        let rowID = context.world.random.hexID()
        try await context.write { tx in
            try authorise("create", policy, place, by: caller, in: tx)
            try places.set(policy, for: place, rowID: rowID, in: tx)
        }
    }

    func check(_ policy: ID<StoredPolicy>, for place: PolicyPlace, by caller: Principal) async throws {
        try await context.read { tx in
            try authorise("check", policy, place, by: caller, in: tx)
            guard try places.policy(for: place, in: tx) == policy else {
                throw CloudError(.notFound, "Could not find policy association.")
            }
        }
    }

    /// Removes an association. It need not exist.
    func remove(_ policy: ID<StoredPolicy>, for place: PolicyPlace, by caller: Principal) async throws {
        try await context.write { tx in
            try authorise("delete", policy, place, by: caller, in: tx)
            try places.remove(policy, for: place, in: tx)
        }
    }

    /// Checks that the policy allows this, and that the stored policy and its place exist.
    private func authorise(_ verb: String, _ id: ID<StoredPolicy>, _ place: PolicyPlace, by caller: Principal, in tx: Transaction) throws {
        let noun =
            switch place {
            case .endpoint: "endpoint"
            case .service: "service"
            case .region: "region_and_service"
            }
        try context.policy.require(context.action("\(verb)_policy_association_for_\(noun)"), caller)
        _ = try store.require(id, in: tx)
        if let endpoint = place.endpointID { _ = try endpoints.require(endpoint, in: tx) }
        if let service = place.serviceID { _ = try ResourceStore<CatalogService>().require(service, in: tx) }
        if let region = place.regionID { _ = try ResourceStore<Region>().require(region, in: tx) }
    }

    // MARK: Both ways

    func endpoints(of id: ID<StoredPolicy>, by caller: Principal) async throws -> [Endpoint] {
        try context.policy.require(.listEndpointsForPolicy, caller)
        return try await context.read { tx in
            _ = try store.require(id, in: tx)
            return try places.endpoints(of: id, in: tx)
        }
    }

    func policy(of id: ID<Endpoint>, by caller: Principal) async throws -> StoredPolicy {
        try context.policy.require(.getPolicyForEndpoint, caller)
        return try await context.read { tx in
            let endpoint = try endpoints.require(id, in: tx)
            guard let found = try places.policy(of: endpoint, in: tx) else {
                throw CloudError(.notFound, "No policy is associated with endpoint \(id).")
            }
            return try store.require(found, in: tx)
        }
    }
}
