import CloudCore
import HTTPKit

extension RouteExpectations {
    private static let notSeen = "Agents are the operator's: nobody else is told that one is there."

    static let networking = RouteExpectations(
        open: ["GET /": discovery, "GET /v2.0": discovery], make: makeNetworks, body: networkingBody,
        exceptions: [
            .init(route: "PUT /v2.0/agents/{id}", status: 404, reason: notSeen),
            .init(route: "DELETE /v2.0/agents/{id}", status: 404, reason: notSeen),
        ])

    /// Makes one thing of each noun, and returns their ids by the noun's segment.
    @Sendable private static func makeNetworks(_ stage: RouteStage) async throws -> Things {
        var things: Things = [:]
        things["networks"] = try await stage.make("/network/v2.0/networks", ["network": ["name": "a"]])
        things["outside"] = try await stage.make(
            "/network/v2.0/networks", ["network": ["name": "b", "router:external": true]], as: stage.admin)
        _ = try await stage.make(
            "/network/v2.0/subnets",
            ["subnet": ["network_id": id("outside", things), "ip_version": 4, "cidr": "192.0.2.0/24"]], as: stage.admin)
        for noun in [
            "subnets", "ports", "security-groups", "routers", "floatingips", "address-groups", "address-scopes",
            "subnetpools", "security-group-rules", "rbac-policies",
        ] {
            things[noun] = try await stage.make("/network/v2.0/\(noun)", draft(noun, things))
        }
        things["default-security-group-rules"] = try await stage.make(
            "/network/v2.0/default-security-group-rules", draft("default-security-group-rules", things),
            as: stage.admin)
        return things
    }

    private static func id(_ name: String, _ things: Things) -> JSON { .string(things[name] ?? "") }

    /// Returns a body that creates one thing of a noun.
    private static func draft(_ noun: String, _ things: Things) -> JSON {
        switch noun {
        case "networks": ["network": ["name": "x"]]
        case "subnets": ["subnet": ["network_id": id("networks", things), "ip_version": 4, "cidr": "10.0.0.0/24"]]
        case "ports": ["port": ["network_id": id("networks", things)]]
        case "security-groups": ["security_group": ["name": "x"]]
        case "security-group-rules":
            ["security_group_rule": ["security_group_id": id("security-groups", things), "direction": "ingress"]]
        case "default-security-group-rules": ["default_security_group_rule": ["direction": "ingress"]]
        case "routers": ["router": ["name": "x"]]
        case "floatingips": ["floatingip": ["floating_network_id": id("outside", things)]]
        case "address-groups": ["address_group": ["name": "x", "addresses": ["10.0.0.0/8"]]]
        case "address-scopes": ["address_scope": ["name": "x", "ip_version": 4]]
        case "subnetpools": ["subnetpool": ["name": "x", "prefixes": ["10.0.0.0/8"]]]
        default:
            [
                "rbac_policy": [
                    "object_type": "network", "object_id": id("networks", things), "action": "access_as_shared",
                    "target_tenant": "0123456789abcdef0123456789abcdef",
                ]
            ]
        }
    }

    /// Returns a body that changes one thing of a noun.
    private static func change(_ noun: String) -> JSON? {
        let singulars = [
            "networks": "network", "subnets": "subnet", "ports": "port", "security-groups": "security_group",
            "routers": "router",
            "address-groups": "address_group", "address-scopes": "address_scope", "subnetpools": "subnetpool",
        ]
        switch noun {
        case "security-group-rules": return ["security_group_rule": ["description": "y"]]
        case "floatingips": return ["floatingip": ["description": "y"]]
        case "rbac-policies": return ["rbac_policy": ["target_tenant": "fedcba9876543210fedcba9876543210"]]
        case "agents": return ["agent": ["description": "y"]]
        default: return singulars[noun].map { noun -> JSON in [noun: ["name": "y"]] }
        }
    }

    @Sendable private static func networkingBody(_ route: Route, _ things: Things) -> JSON? {
        let segments = route.path.split(separator: "/").map(String.init)
        guard segments.count > 1, let last = segments.last else { return nil }
        switch last {
        case "tags": return ["tags": ["x"]]
        case "{tag}": return nil
        case "add_addresses", "remove_addresses": return ["addresses": ["10.0.0.0/8"]]
        case "add_router_interface", "remove_router_interface": return ["subnet_id": id("subnets", things)]
        case "add_extraroutes", "remove_extraroutes":
            return ["router": ["routes": [["destination": "10.9.0.0/24", "nexthop": "10.0.0.9"]]]]
        case "{id}": return change(segments[1])
        default: return things[last] == nil ? nil : draft(last, things)
        }
    }
}
