import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-keypairs`.
struct KeyPairRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let pairs: KeyPairService

    private static let path = "/os-keypairs/{keypair_name}"
    private static let userSince = 10
    private static let listQuery = QueryShape(QueryShape.paged + [("user_id", .any)], closedSince: 75)
    private static let query = QueryShape([("user_id", .any)], closedSince: 75)

    var all: [Route] {
        [
            maker.route(.get, "/os-keypairs", nil, query: Self.listQuery) { call in try await list(call) },
            maker.route(.post, "/os-keypairs", nil) { call in try await create(call) },
            maker.route(.get, Self.path, nil, query: Self.query) { call in
                let user = try Self.user(call, .showKeyPair)
                return Self.answer(try await pairs.get(call.parameter("keypair_name"), of: user), call.minor)
            },
            maker.route(.delete, Self.path, nil, query: Self.query) { call in
                let user = try Self.user(call, .deleteKeyPair)
                try await pairs.delete(call.parameter("keypair_name"), of: user)
                return call.minor >= 2 ? .noContent : .accepted
            },
        ]
    }

    /// Returns the user whose key pairs are meant.
    ///
    /// - Throws: `forbidden` if the caller may not do the action on them.
    private static func user(_ call: ComputeCall, _ action: Action) throws -> String {
        let user = (call.minor >= userSince ? call.query("user_id") : nil) ?? call.caller.userID
        try call.caller.require(action, userID: user)
        return user
    }

    private func list(_ call: ComputeCall) async throws -> Reply {
        let user = try Self.user(call, .listKeyPairs)
        let found = try await pairs.list(of: user, call.minor >= 35 ? try call.page() : Page(limit: .max))
        return try await .page(of: found.count) {
            .json { json in
                json.array("keypairs", of: found) { json, pair in
                    json.object { json in
                        json.object("keypair") { json in Self.brief(pair, call.minor, &json) }
                    }
                }
                if call.minor >= 35 {
                    Links(call).next(
                        &json, "keypairs_links", "os-keypairs", call, count: found.count, last: found.last?.name)
                }
            }
        }
    }

    private struct New: Sendable {
        var name = ""
        var publicKey: String?
        var kind = KeyPair.Kind.ssh
        var userID: String?
    }
    private static let new = Form.object(
        New(),
        [
            .required("name", \.name, Form.string(1...255, .keyName).mapped(\.trimmed), until: 91),
            .required("name", \.name, Form.string(1...255, .keyName92).mapped(\.trimmed), since: 92),
            .optional("public_key", \.publicKey, .string(), requiredSince: 92), .optional("type", \.kind, .word(), since: 2),
            .optional("user_id", \.userID, .string(), since: userSince),
        ]
    ).inside("keypair")

    private func create(_ call: ComputeCall) async throws -> Reply {
        let new = try await call.read(Self.new)
        let user = new.userID ?? call.caller.userID
        try call.caller.require(.createKeyPair, userID: user)
        let made = try await pairs.create(new.name, of: user, kind: new.kind, publicKey: new.publicKey, by: call.caller)
        return .json(call.minor >= 2 ? .created : .ok) { json in
            json.object("keypair") { json in
                Self.brief(made.pair, call.minor, &json)
                json.member("user_id", made.pair.userID)
                if let secret = made.privateKey { json.member("private_key", secret.reveal()) }
            }
        }
    }

    private static func brief(_ pair: KeyPair, _ minor: Int, _ json: inout JSONWriter) {
        json.member("name", pair.name)
        json.member("public_key", pair.publicKey)
        json.member("fingerprint", pair.fingerprint)
        if minor >= 2 { json.member("type", pair.kind.rawValue) }
    }

    private static func answer(_ pair: KeyPair, _ minor: Int) -> Reply {
        .json { json in
            json.object("keypair") { json in
                brief(pair, minor, &json)
                json.member("user_id", pair.userID)
                json.member("id", pair.number)
                json.member("created_at", pair.createdAt.iso8601MicrosecondsNoZone)
                json.member("deleted", false)
                json.key("deleted_at")
                json.null()
                json.key("updated_at")
                json.null()
            }
        }
    }
}
