package import SQL

/// What projects may have of a service's resources: what the service itself asks before it gives more.
package struct EffectiveLimits: Sendable {
    /// The service's type in the catalogue, as `image`.
    private let serviceType: String
    /// A limit of this region comes before one of all regions.
    private let region: String

    package init(serviceType: String, region: String) {
        self.serviceType = serviceType
        self.region = region
    }

    /// A project's limit of each resource that one is registered for: its own, else what is registered. -1 is unlimited.
    package func limits(of project: String, in tx: Transaction) throws -> [String: Int64] {
        let rows = try tx.rows(
            """
            SELECT r.resource_name, coalesce(l.resource_limit, r.default_limit)
            FROM identity_registered_limit r JOIN identity_service s ON s.id = r.service_id
            LEFT JOIN identity_limit l ON l.registered_limit_id = r.id AND l.project_id = ?
            WHERE s.type = ? AND (r.region_id IS NULL OR r.region_id = ?)
            ORDER BY CASE WHEN r.region_id IS NULL THEN 0 ELSE 1 END
            """, project, serviceType, region)
        var limits: [String: Int64] = [:]
        for row in rows { limits[try row.value(at: 0)] = try row.value(at: 1) }
        return limits
    }
}
