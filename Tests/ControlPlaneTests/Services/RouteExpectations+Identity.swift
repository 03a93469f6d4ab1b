import CloudCore
import HTTPKit

extension RouteExpectations {
    private static let gone = "It is gone, and says so to everybody."
    private static let consumer = "The consumer's signature is the proof."
    private static let nobody: JSON = "0123456789abcdef0123456789abcdef"

    static let identity = RouteExpectations(
        open: [
            "GET /": discovery, "GET /v3": discovery,
            "POST /v3/auth/tokens": "This is where a token comes from.",
            "POST /v3/users/{user_id}/password":
                "An expired password must be changed to get one; the old one is the proof.",
            "POST /v3/OS-OAUTH1/request_token": consumer, "POST /v3/OS-OAUTH1/access_token": consumer,
            "GET /v3/OS-SIMPLE-CERT/ca": gone, "GET /v3/OS-SIMPLE-CERT/certificates": gone,
            "GET /v3/auth/tokens/OS-PKI/revoked": gone,
        ],
        role: .member, body: { route, _ in bodies[route.name] ?? named(route) },
        exceptions: [
            .init(
                route: "DELETE /v3/OS-TRUST/trusts/{trust_id}", status: 404,
                reason: "The rule is about a trust's trustor, so a trust that is not there is told first.")
        ])

    /// Returns a body with one member that the nouns of several paths accept: `{"user": {"name": "x"}}`.
    private static func named(_ route: Route) -> JSON? {
        let nouns = [
            "users": "user", "groups": "group", "domains": "domain", "projects": "project", "roles": "role",
            "services": "service",
        ]
        let segments = route.path.split(separator: "/").map(String.init).filter { !$0.hasPrefix("{") }
        guard segments.count == 2, let noun = nouns[segments[1]] else { return nil }
        let members: JSON = noun == "service" ? ["name": "x", "type": "x"] : ["name": "x"]
        return [noun: members]
    }

    private static let bodies: [String: JSON] = [
        "PATCH /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}": ["endpoint_group": ["name": "x"]],
        "POST /v3/OS-EP-FILTER/endpoint_groups": ["endpoint_group": ["name": "x", "filters": ["interface": "public"]]],
        "PATCH /v3/OS-OAUTH1/consumers/{consumer_id}": ["consumer": ["description": "x"]],
        "POST /v3/OS-OAUTH1/consumers": ["consumer": ["description": "x"]],
        "POST /v3/OS-TRUST/trusts": [
            "trust": [
                "trustor_user_id": nobody, "trustee_user_id": nobody, "impersonation": true, "project_id": nobody,
                "roles": [["id": nobody]],
            ]
        ],
        "PATCH /v3/credentials/{credential_id}": ["credential": ["blob": "x"]],
        "POST /v3/credentials": ["credential": ["blob": "x", "type": "x", "user_id": nobody]],
        "PATCH /v3/endpoints/{endpoint_id}": ["endpoint": ["url": "http://x"]],
        "POST /v3/endpoints": ["endpoint": ["interface": "public", "url": "http://x", "service_id": nobody]],
        "PATCH /v3/limits/{limit_id}": ["limit": ["resource_limit": 1]],
        "POST /v3/limits": [
            "limits": [["service_id": nobody, "resource_name": "x", "resource_limit": 1, "project_id": nobody]]
        ],
        "PATCH /v3/policies/{policy_id}": ["policy": ["blob": "x"]],
        "POST /v3/policies": ["policy": ["blob": "x", "type": "x"]],
        "PUT /v3/projects/{project_id}/tags": ["tags": ["x"]],
        "PATCH /v3/regions/{region_id}": ["region": ["description": "x"]],
        "PUT /v3/regions/{region_id}": ["region": ["description": "x"]],
        "POST /v3/regions": ["region": ["description": "x"]],
        "PATCH /v3/registered_limits/{registered_limit_id}": ["registered_limit": ["default_limit": 1]],
        "POST /v3/registered_limits": [
            "registered_limits": [["service_id": nobody, "resource_name": "x", "default_limit": 1]]
        ],
        "PATCH /v3/services/{service_id}": ["service": ["name": "x"]],
        "POST /v3/users/{user_id}/application_credentials": ["application_credential": ["name": "x"]],
        "POST /v3/users/{user_id}/credentials/OS-EC2": ["tenant_id": nobody],
    ]
}
