import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/registered_limits`, `/v3/limits` and the model by which limits are enforced.
struct LimitRoutes: Sendable {
    let registered: RegisteredLimitService
    let limits: LimitService

    init(identity: IdentityContext) {
        registered = RegisteredLimitService(identity: identity)
        limits = LimitService(identity: identity)
    }

    var all: [Route] {
        ResourceRoutes(registered, at: "/v3/registered_limits").all + ResourceRoutes(limits, at: "/v3/limits").all
            + [.get("/v3/limits/model", model)]
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
