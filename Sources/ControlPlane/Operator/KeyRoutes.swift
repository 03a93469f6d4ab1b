import CloudCore
import HTTPKit
import HTTPTypes
import Identity

/// The routes `/novella/v1/keys`, for the keys that seal tokens and stored secrets. The key bytes never leave the
/// process.
struct KeyRoutes: Sendable {
    let maker: RouteMaker<OperatorCall>
    let context: OperatorContext

    var all: [Route] {
        [
            maker.route(.get, "/keys", .listKeys) { _ in try await keys() },
            maker.route(.post, "/keys/rotate", .rotateKeys) { call in
                try await context.identity.rotateKeys()
                context.record("a new key seals tokens from now on", call)
                return try await keys()
            },
        ]
    }

    private func keys() async throws -> Reply {
        let keys = try await context.identity.keys()
        return .json { json in
            json.array("keys", of: keys) { json, key in
                json.object { json in
                    json.member("id", key.id)
                    json.member("purpose", key.purpose)
                    json.member("current", key.isCurrent)
                    json.member("created_at", key.createdAt.iso8601Microseconds)
                    json.member("used_from", key.usedFrom.iso8601Microseconds)
                }
            }
        }
    }
}
