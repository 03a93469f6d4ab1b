import CloudCore
import HTTPKit
import HTTPTypes

/// The route `POST /servers/{server_id}/action`. The body's one member names the action; the table of actions has the
/// rest.
struct ServerActionRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let actions: ServerActionService

    var all: [Route] {
        [maker.route(.post, ServerRoutes.path + "/action", nil) { call in try await act(call) }]
    }

    private func act(_ call: ComputeCall) async throws -> Reply {
        let body = JSON.object(try await call.call.body.json())
        guard let members = body.object, members.count == 1, let word = members.keys.first else {
            throw CloudError.badRequest("Malformed request body: it must have one member, the action.")
        }
        guard let action = ServerAction.named(word), call.minor <= action.until else {
            throw CloudError.badRequest("There is no such action: \(word.prefix(255))")
        }
        let act = ServerActionCall(rule: action.rule, id: call.call.id("server_id"), call: call, actions: actions)
        return try await action.perform(act, body)
    }
}
