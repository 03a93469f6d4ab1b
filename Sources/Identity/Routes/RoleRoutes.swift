import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/roles`, of the roles that they imply, and of `/v3/role_inferences`.
struct RoleRoutes: Sendable {
    let roles: RoleService

    private static let path = "/v3/roles"
    private static let implied = "/v3/roles/{prior_role_id}/implies/{implied_role_id}"

    var all: [Route] {
        // A path's segment has one parameter name for all routes, so all of them use the name of the routes of implied
        // roles.
        ResourceRoutes(roles, at: Self.path, parameter: "prior_role_id").all + [
            .get("/v3/roles/{prior_role_id}/implies") { call in
                let inference = try await roles.inferences(of: call.id("prior_role_id"), by: call.caller())
                return .json { writer in
                    writer.object("role_inference") { writer in
                        writer.object("prior_role") { Self.brief(inference.prior, call, &$0) }
                        writer.array("implies", of: inference.implied) { writer, role in writer.object { Self.brief(role, call, &$0) } }
                    }
                    writer.object("links") { $0.member("self", call.url) }
                }
            },
            .get(Self.implied) { call in
                let (prior, implied) = Self.pair(call)
                return Self.reply(try await roles.inference(prior, implied, .getImpliedRole, by: call.caller()), .ok, call)
            },
            .head(Self.implied) { call in
                let (prior, implied) = Self.pair(call)
                _ = try await roles.inference(prior, implied, .checkImpliedRole, by: call.caller())
                return .noContent
            },
            .put(Self.implied) { call in
                let (prior, implied) = Self.pair(call)
                return Self.reply(try await roles.imply(prior, implied, by: call.caller()), .created, call)
            },
            .delete(Self.implied) { call in
                let (prior, implied) = Self.pair(call)
                try await roles.unimply(prior, implied, by: call.caller())
                return .noContent
            },
            .get("/v3/role_inferences") { call in
                let rules = try await roles.allInferences(by: call.caller())
                return try await .page(of: rules.count) {
                    .json { writer in
                        writer.array("role_inferences", of: rules) { writer, rule in
                            writer.object { writer in
                                writer.object("prior_role") { Self.brief(rule.prior, call, &$0) }
                                writer.array("implies", of: rule.implied) { writer, role in
                                    writer.object { Self.brief(role, call, &$0) }
                                }
                            }
                        }
                        writer.object("links") { $0.member("self", call.url) }
                    }
                }
            },
        ]
    }

    private static func pair(_ call: Call) -> (ID<Kind.Role>, ID<Kind.Role>) {
        (call.id("prior_role_id"), call.id("implied_role_id"))
    }

    private static func reply(_ inference: RoleService.Inference, _ status: HTTPResponse.Status, _ call: Call) -> Reply {
        .json(status) { writer in
            writer.object("role_inference") { writer in
                writer.object("prior_role") { brief(inference.prior, call, &$0) }
                if let implied = inference.implied.first { writer.object("implies") { brief(implied, call, &$0) } }
            }
            writer.object("links") { $0.member("self", call.url) }
        }
    }

    private static func brief(_ role: Role, _ call: Call, _ writer: inout JSONWriter) {
        writer.member("id", role.id)
        writer.member("name", role.name)
        writer.object("links") { $0.member("self", "\(call.base)\(path)/\(role.id)") }
    }
}
