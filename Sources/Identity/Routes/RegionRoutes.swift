import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/regions`. A `PUT` creates a region with the id in its path.
struct RegionRoutes: Sendable {
    let regions: RegionService

    var all: [Route] {
        ResourceRoutes(regions, at: "/v3/regions").all + [
            .put("/v3/regions/{region_id}") { call in
                let caller = try await call.caller()
                let region = try await regions.create(call.id("region_id"), call.body.json(), by: caller)
                return try Views.one(region, .created, call, "/v3/regions")
            }
        ]
    }
}
