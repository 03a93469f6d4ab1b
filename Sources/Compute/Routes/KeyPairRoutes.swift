import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// `/os-keypairs`
struct KeyPairRoutes: Sendable {
    let endpoint: Endpoint
    let pairs: KeyPairService

    private static let path = "/os-keypairs/{keypair_name}"
    private static let userSince = 10
    private static let listQuery = QueryShape(QueryShape.paged + [("user_id", .text())], closedSince: 75)
    private static let query = QueryShape([("user_id", .text())], closedSince: 75)

    var all: [Route] {
        [
            endpoint.route(.get, "/os-keypairs", nil, query: Self.listQuery) { call in try await list(call) },
            endpoint.route(.post, "/os-keypairs", nil) { call in try await create(call) },
            endpoint.route(.get, Self.path, nil, query: Self.query) { call in
                let user = try Self.user(call, .showKeyPair)
                return Self.answer(try await pairs.get(call.parameter("keypair_name"), of: user), call.minor)
            },
            endpoint.route(.delete, Self.path, nil, query: Self.query) { call in
                let user = try Self.user(call, .deleteKeyPair)
                try await pairs.delete(call.parameter("keypair_name"), of: user)
                return call.minor >= 2 ? .noContent : .accepted
            },
        ]
    }

    /// Whose key pairs are meant, if the caller may do it to them.
    private static func user(_ call: ComputeCall, _ action: Action) throws -> String {
        let user = (call.minor >= userSince ? call.query("user_id") : nil) ?? call.caller.userID
        try call.caller.require(action, userID: user)
        return user
    }

    private func list(_ call: ComputeCall) async throws -> Reply {
        let user = try Self.user(call, .listKeyPairs)
        let found = try await pairs.list(of: user, call.minor >= 35 ? try call.page() : Page(limit: .max))
        return .json { json in
            json.array("keypairs", of: found) { json, pair in
                json.object { json in
                    json.object("keypair") { json in Self.brief(pair, call.minor, &json) }
                }
            }
            if call.minor >= 35 {
                Links(call).next(&json, "keypairs_links", "os-keypairs", call, count: found.count, last: found.last?.name)
            }
        }
    }

    private static func shape(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [("name", .text(1...255, minor >= 92 ? .keyName92 : .keyName)), ("public_key", .text())]
        if minor >= 2 { members.append(("type", .word(of: ["ssh", "x509"]))) }
        if minor >= userSince { members.append(("user_id", .text())) }
        return .envelope("keypair", members, required: minor >= 92 ? ["name", "public_key"] : ["name"])
    }

    private func create(_ call: ComputeCall) async throws -> Reply {
        let given = try await call.body(Self.shape(call.minor))["keypair"] ?? [:]
        let user = given["user_id"]?.string ?? call.caller.userID
        try call.caller.require(.createKeyPair, userID: user)
        let made = try await pairs.create(
            given["name"]?.string?.trimmed ?? "", of: user, kind: KeyPair.Kind(rawValue: given["type"]?.string ?? "ssh") ?? .ssh,
            publicKey: given["public_key"]?.string, by: call.caller)
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
