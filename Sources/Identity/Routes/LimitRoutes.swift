import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// `/v3/registered_limits`, `/v3/limits` and how they are enforced.
struct LimitRoutes: Sendable {
    let registered: RegisteredLimitService
    let limits: LimitService

    init(identity: IdentityContext) {
        registered = RegisteredLimitService(identity: identity)
        limits = LimitService(identity: identity)
    }

    var all: [Route] {
        let registered = ResourceRoutes(registered, at: "/v3/registered_limits")
        let limits = ResourceRoutes(limits, at: "/v3/limits")
        return [
            registered.list, registered.show, registered.update, registered.delete,
            .post(registered.path) { call in
                let caller = try await call.caller()
                return Self.many(try await registered.service.createAll(call.body.json(), by: caller), call, registered.path)
            },
            limits.list, limits.show, limits.update, limits.delete,
            .post(limits.path) { call in
                let caller = try await call.caller()
                return Self.many(try await limits.service.createAll(call.body.json(), by: caller), call, limits.path)
            },
            .get("/v3/limits/model", model),
        ]
    }

    /// What a list of new ones is answered with: a list without the `links` of one.
    private static func many<R: Resource>(_ made: [R], _ call: Call, _ path: String) -> Reply {
        .json(.created) { writer in
            writer.array(dynamic: R.schema.plural, of: made) { writer, limit in
                writer.object { Views.object(limit, call, path, &$0) }
            }
        }
    }

    private func model(_ call: Call) async throws -> Reply {
        try limits.context.policy.require(.getLimitModel, try await call.caller())
        let model = limits.model
        return .json { writer in
            writer.object("model") { writer in
                writer.member("name", model.rawValue)
                writer.member("description", model.summary)
            }
        }
    }
}

extension IdentitySettings.LimitModel {
    fileprivate var summary: String {
        switch self {
        case .flat: "Each project and domain has its own limits, wherever it lies in the tree of projects."
        case .strictTwoLevel: "Projects lie directly in domains, and none of them may have more than its domain."
        }
    }
}
