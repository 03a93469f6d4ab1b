import CloudCore
import HTTPTypes
import ControlPlane
import Identity
import SQL
import TestSupport
import Testing

@Suite("Tokens")
struct TokenTests {
    @Test("A token names its user, project, roles and catalog")
    func issue() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            let shown = await cloud.send(.get, "/v3/auth/tokens", token: token, headers: [.subject: token])
            #expect(shown.status == .ok)
            #expect(shown.headers[.subject] == token)
            let body = shown.json["token"]
            #expect(body?["methods"] == ["password"])
            #expect(body?["user"]?["name"] == "admin")
            #expect(body?["project"]?["domain"]?["id"] == "default")
            #expect(body?["roles"]?.array?.compactMap { $0["name"]?.string } == ["admin", "manager", "member", "reader"])
            #expect(body?["catalog"]?.array?.contains { $0["type"] == "identity" } == true)
            #expect(token.utf8.count < 255)
        }
    }

    @Test("A token can be shown without its catalog and checked without a body")
    func views() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            let brief = await cloud.send(.get, "/v3/auth/tokens?nocatalog", token: token, headers: [.subject: token])
            #expect(brief.json["token"]?["catalog"] == nil)
            let head = await cloud.send(.head, "/v3/auth/tokens", token: token, headers: [.subject: token])
            #expect(head.status == .ok && head.bytes.isEmpty)
        }
    }

    @Test("The first use of a token after a change costs one transaction, and further uses cost none")
    func queries() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            // Something changes, so cached tokens are out of date.
            _ = await cloud.send(.post, "/v3/regions", token: token, json: ["region": ["id": "elsewhere"]])
            let before = cloud.database.transactions
            #expect(await cloud.send(.get, "/v3/auth/tokens", token: token, headers: [.subject: token]).status == .ok)
            let first = cloud.database.transactions
            #expect(first - before == 1)
            for _ in 0..<10 {
                #expect(await cloud.send(.get, "/v3/auth/tokens", token: token, headers: [.subject: token]).status == .ok)
            }
            #expect(cloud.database.transactions == first)
        }
    }

    @Test("A token expires on time, and services may still look at it for a while")
    func expiry() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            cloud.clock.advance(by: .seconds(3601))
            #expect(await cloud.send(.get, "/v3/users", token: token).status == .unauthorized)
            let fresh = try await cloud.token()
            let late = "/v3/auth/tokens?allow_expired=true"
            #expect(await cloud.send(.get, "/v3/auth/tokens", token: fresh, headers: [.subject: token]).status == .notFound)
            #expect(await cloud.send(.get, late, token: fresh, headers: [.subject: token]).status == .ok)
            cloud.clock.advance(by: .seconds(48 * 3600))
            let last = try await cloud.token()
            #expect(await cloud.send(.get, late, token: last, headers: [.subject: token]).status == .notFound)
        }
    }

    @Test("After a key rotation, new tokens use the new key and old ones stay valid")
    func rotation() async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            try await cloud.cloud.identity.rotateKeys()
            let newer = try await cloud.token()
            #expect(token.prefix(14) != newer.prefix(14))
            #expect(await cloud.send(.get, "/v3/users", token: token).status == .ok)
            #expect(await cloud.send(.get, "/v3/users", token: newer).status == .ok)
        }
    }

    @Test("A sealed token opens only for its purpose, also after a key rotation, and cannot be used as a token")
    func kept() async throws {
        try await TestCloud.run { cloud in
            let identity = cloud.cloud.identity
            let token = try await cloud.token()
            let sealed = try identity.seal(Secret(token), for: "one/1")
            #expect(!sealed.contains(token.dropFirst(20)))
            try await identity.rotateKeys()
            #expect(try await identity.open(sealed, for: "one/1") == Secret(token))
            #expect(try await identity.open(sealed, for: "one/2") == nil)
            for text in ["", ".", "x.y", token, String(sealed.dropLast(4)), sealed + "AAAA"] {
                #expect(try await identity.open(text, for: "one/1") == nil)
            }
            // The two forms are not interchangeable: a sealed token cannot be shown as a token.
            let parts = sealed.split(separator: ".")
            let asToken = try "nv1-" + Base64URL.encode(#require(Hex.bytes(parts[0])) + #require(Base64URL.decode(parts[1])))
            #expect(await cloud.send(.get, "/v3/users", token: asToken).status == .unauthorized)
        }
    }

    @Test("An endpoint is found by its service's type, its region and its interface")
    func endpoint() async throws {
        try await TestCloud.run { cloud in
            let identity = cloud.cloud.identity
            let found = try await identity.endpoint(of: "image", in: "regionONE", interface: "public", for: nil)
            #expect(found == "http://cloud.test:5000/image")
            for (type, region, interface) in [("image", "x", "public"), ("image", "RegionOne", "x"), ("x", "RegionOne", "public")] {
                let nowhere = try await identity.endpoint(of: type, in: region, interface: interface, for: nil)
                #expect(nowhere == nil)
            }
        }
    }

    @Test("A token that was forged or changed is refused", arguments: ["", "nv1-", "nv1-AAAA", "gAAAAABk", "nv1-%%%%"])
    func forged(text: String) async throws {
        try await TestCloud.run { cloud in
            let token = try await cloud.token()
            #expect(await cloud.send(.get, "/v3/users", token: text).status == .unauthorized)
            var letters = Array(token)
            letters[letters.count / 2] = letters[letters.count / 2] == "A" ? "B" : "A"
            #expect(await cloud.send(.get, "/v3/users", token: String(letters)).status == .unauthorized)
        }
    }

    @Test("A token's scope is none, a project, a domain or the system, and the default project if none is given")
    func scopes() async throws {
        try await TestCloud.run { cloud in
            let identity: JSON = [
                "methods": ["password"],
                "password": ["user": ["name": "admin", "domain": ["name": "Default"], "password": .string(TestCloud.adminPassword)]],
            ]
            func issue(_ scope: JSON?) async -> TestCloud.Response {
                var auth: JSONObject = ["identity": identity]
                auth["scope"] = scope
                return await cloud.send(.post, "/v3/auth/tokens", json: ["auth": .object(auth)])
            }
            #expect(await issue(nil).json["token"]?["roles"] == nil)
            #expect(await issue("unscoped").json["token"]?["catalog"] == nil)
            #expect(await issue(["domain": ["id": "default"]]).json["token"]?["domain"]?["name"] == "Default")
            #expect(await issue(["system": ["all": true]]).json["token"]?["system"]?["all"] == true)
            #expect(await issue(["project": ["name": "demo", "domain": ["id": "default"]]]).status == .unauthorized)
            #expect(await issue(["project": ["name": "admin"]]).status == .badRequest)
            #expect(await issue(["project": ["id": "x"], "system": ["all": true]]).status == .badRequest)
            let admin = try await cloud.token()
            let me = await cloud.send(.get, "/v3/auth/tokens", token: admin, headers: [.subject: admin]).json["token"]
            let user = try #require(me?["user"]?["id"]?.string)
            let project = try #require(me?["project"]?["id"])
            _ = await cloud.send(.patch, "/v3/users/\(user)", token: admin, json: ["user": ["default_project_id": project]])
            #expect(await issue(nil).json["token"]?["project"]?["id"] == project)
            #expect(await issue("unscoped").json["token"]?["project"] == nil)
        }
    }
}

extension HTTPField.Name {
    static let subject = Self("X-Subject-Token")!
}
