import CloudCore
import HTTPKit
import Identity

/// The routes `/novella/v1/keys`, for the keys that seal tokens and stored secrets. The key bytes never leave the
/// process.
struct KeyRoutes: Sendable {
    let context: OperatorContext

    var all: [Route] { [.get("/keys", list), .post("/keys/rotate", rotate)] }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        _ = try await context.require(.listKeys, call)
        return try await keys()
    }

    @Sendable private func rotate(_ call: Call) async throws -> Reply {
        let caller = try await context.require(.rotateKeys, call)
        try await context.identity.rotateKeys()
        context.record("a new key seals tokens from now on", by: caller, call)
        return try await keys()
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
