import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/policies`, and those of OS-ENDPOINT-POLICY below policies and endpoints.
struct StoredPolicyRoutes: Sendable {
    let policies: StoredPolicyService

    private static let path = "/v3/policies"
    private static let places = "/v3/policies/{policy_id}/OS-ENDPOINT-POLICY"

    var all: [Route] {
        var routes = ResourceRoutes(policies, at: Self.path).all
        routes += place("endpoints/{endpoint_id}") { .endpoint($0.id("endpoint_id")) }
        routes += place("services/{service_id}") { .service($0.id("service_id")) }
        routes += place("services/{service_id}/regions/{region_id}") { .region($0.id("region_id"), $0.id("service_id")) }
        routes += [
            .get("\(Self.places)/endpoints") { call in
                Views.list(try await policies.endpoints(of: call.id("policy_id"), by: call.caller()), call, "/v3/endpoints")
            },
            .get("/v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy") { call in
                Views.one(try await policies.policy(of: call.id("endpoint_id"), by: call.caller()), .ok, call, Self.path)
            },
        ]
        return routes
    }

    private func place(_ end: String, _ place: @escaping @Sendable (Call) -> PolicyPlace) -> [Route] {
        let path = "\(Self.places)/\(end)"
        return [
            .put(path) { call in
                try await policies.put(call.id("policy_id"), for: place(call), by: call.caller())
                return .noContent
            },
            .get(path) { call in
                try await policies.check(call.id("policy_id"), for: place(call), by: call.caller())
                return .noContent
            },
            .delete(path) { call in
                try await policies.remove(call.id("policy_id"), for: place(call), by: call.caller())
                return .noContent
            },
        ]
    }
}
