package import SQL

/// The limits that projects have for the resources of a service. The service reads them before it grants more.
package struct EffectiveLimits: Sendable {
    /// The type of the service in the catalog, such as `image`.
    private let serviceType: String
    /// The service's region. A limit of this region takes precedence over one of all regions.
    private let region: String

    package init(serviceType: String, region: String) {
        self.serviceType = serviceType
        self.region = region
    }

    /// Returns a project's limit for each resource with a registered limit: its own limit, or else the registered one.
    /// -1 means unlimited.
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
