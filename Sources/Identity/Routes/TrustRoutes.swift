import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/OS-TRUST/trusts`.
struct TrustRoutes: Sendable {
    let trusts: TrustService

    private static let path = "/v3/OS-TRUST/trusts"
    private static let member = "/v3/OS-TRUST/trusts/{trust_id}"

    var all: [Route] {
        [
            .get(Self.path) { call in
                let page = try await trusts.list(call.query, by: call.caller())
                return Views.list(page, call, Self.path)
            },
            .post(Self.path) { call in
                let caller = try await call.caller()
                return Self.reply(try await trusts.create(call.body.json(), by: caller), .created, call)
            },
            .get(Self.member) { call in Self.reply(try await trusts.get(call.id("trust_id"), by: call.caller()), .ok, call) },
            .delete(Self.member) { call in
                try await trusts.delete(call.id("trust_id"), by: call.caller())
                return .noContent
            },
            .get("\(Self.member)/roles") { call in
                let roles = try await trusts.get(call.id("trust_id"), .listRolesForTrust, by: call.caller()).roles
                return Views.list(roles, call, "/v3/roles")
            },
            .get("\(Self.member)/roles/{role_id}") { call in
                let caller = try await call.caller()
                let role = try await trusts.role(call.id("role_id"), of: call.id("trust_id"), by: caller)
                return Views.one(role, .ok, call, "/v3/roles")
            },
        ]
    }

    private static func reply(_ found: (trust: Trust, roles: [Role]), _ status: HTTPResponse.Status, _ call: Call) -> Reply {
        .json(status) { writer in
            writer.object("trust") { writer in
                Views.object(found.trust, call, path, &writer)
                writer.array("roles", of: found.roles) { writer, role in
                    writer.object { Views.object(role, call, "/v3/roles", &$0) }
                }
                writer.object("roles_links") { writer in
                    writer.member("next", nil as String?)
                    writer.member("self", "\(call.base)\(path)/\(found.trust.id)/roles")
                    writer.member("previous", nil as String?)
                }
            }
        }
    }
}
