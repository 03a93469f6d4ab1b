import CloudCore
import Resources
import SQL

/// The associations of stored policies with places. A place has at most one policy.
struct PolicyPlaceStore: Sendable {
    private static let condition =
        "coalesce(endpoint_id, '') = ? AND coalesce(service_id, '') = ? AND coalesce(region_id, '') = ?"

    private static func arguments(_ place: PolicyPlace) -> [SQLValue] {
        [place.endpointID?.text, place.serviceID?.text, place.regionID?.text].map { .text($0 ?? "") }
    }

    /// Associates a policy with a place, instead of any policy that it has.
    ///
    /// - Parameter rowID: the id of the new row.
    func set(_ policy: ID<StoredPolicy>, for place: PolicyPlace, rowID: String, in tx: Transaction) throws {
        try tx.execute(
            "DELETE FROM identity_policy_association WHERE \(Self.condition)", arguments: Self.arguments(place))
        try tx.execute(
            "INSERT INTO identity_policy_association (id, policy_id, endpoint_id, service_id, region_id) VALUES (?, ?, ?, ?, ?)",
            rowID, policy, place.endpointID, place.serviceID, place.regionID)
    }

    func remove(_ policy: ID<StoredPolicy>, for place: PolicyPlace, in tx: Transaction) throws {
        try tx.execute(
            "DELETE FROM identity_policy_association WHERE policy_id = ? AND \(Self.condition)",
            arguments: [policy.sql] + Self.arguments(place))
    }

    func policy(for place: PolicyPlace, in tx: Transaction) throws -> ID<StoredPolicy>? {
        try tx.rows(
            "SELECT policy_id FROM identity_policy_association WHERE \(Self.condition)", arguments: Self.arguments(place)
        ).first.map { try $0["policy_id"] }
    }

    /// Returns the policy that applies to an endpoint. It is the endpoint's own, or that of its service in its region
    /// or in the nearest region around it, or that of its service.
    func policy(of endpoint: Endpoint, in tx: Transaction) throws -> ID<StoredPolicy>? {
        if let own = try policy(for: .endpoint(endpoint.id), in: tx) { return own }
        var region = endpoint.regionID
        var seen: Set<ID<Region>> = []
        while let id = region, seen.insert(id).inserted {
            if let found = try policy(for: .region(id, endpoint.serviceID), in: tx) { return found }
            region = try ResourceStore<Region>().find(id, in: tx)?.parentRegionID
        }
        return try policy(for: .service(endpoint.serviceID), in: tx)
    }

    /// Returns the endpoints in any of a policy's places, even if another policy has a nearer place.
    func endpoints(of policy: ID<StoredPolicy>, in tx: Transaction) throws -> [Endpoint] {
        var query = ListQuery()
        query.raw.append(
            (
                """
                id IN (SELECT endpoint_id FROM identity_policy_association WHERE policy_id = ?)
                OR service_id IN (SELECT service_id FROM identity_policy_association WHERE policy_id = ? AND region_id IS NULL)
                OR EXISTS (
                  WITH RECURSIVE covered (service_id, region_id, depth) AS (
                    SELECT service_id, region_id, 1 FROM identity_policy_association WHERE policy_id = ? AND region_id IS NOT NULL
                    UNION
                    SELECT c.service_id, r.id, c.depth + 1 FROM identity_region r JOIN covered c ON r.parent_region_id = c.region_id
                    WHERE c.depth < 64)
                  SELECT 1 FROM covered
                  WHERE covered.service_id = identity_endpoint.service_id AND covered.region_id = identity_endpoint.region_id)
                """, [policy.sql, policy.sql, policy.sql]
            ))
        return try ResourceStore<Endpoint>().all(query, in: tx)
    }
}
