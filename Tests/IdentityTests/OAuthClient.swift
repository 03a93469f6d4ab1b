import CloudCore
import Crypto
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Identity

/// A signer of requests as a consumer.
struct OAuthClient {
    var id: String
    var secret: String
    var token = (id: "", secret: "")
    var isSHA256 = false

    /// Returns the value of the header `Authorization`.
    ///
    /// - Parameter url: the URL with scheme and host.
    func authorization(_ method: String, _ url: String, at now: Timestamp, nonce: String, _ more: [String: String] = [:]) -> String {
        var parameters = [
            "oauth_consumer_key": id, "oauth_nonce": nonce, "oauth_timestamp": "\(now.seconds)", "oauth_version": "1.0",
            "oauth_signature_method": isSHA256 ? "HMAC-SHA256" : "HMAC-SHA1",
        ]
        if !token.id.isEmpty { parameters["oauth_token"] = token.id }
        for (name, value) in more { parameters[name] = value }
        let base = OAuthRequest.baseString(method, url, parameters.map { ($0.key, $0.value) })
        let key = SymmetricKey(data: Array("\(Percent.encode(secret))&\(Percent.encode(token.secret))".utf8))
        let mac =
            isSHA256
            ? Data(HMAC<SHA256>.authenticationCode(for: Array(base.utf8), using: key))
            : Data(HMAC<Insecure.SHA1>.authenticationCode(for: Array(base.utf8), using: key))
        parameters["oauth_signature"] = mac.base64EncodedString()
        return "OAuth realm=\"x\", " + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Percent.encode($0.value))\"" }.joined(separator: ", ")
    }
}

/// A consumer of a cloud whose administrator authorizes its requests.
struct OAuth {
    let it: Delegation
    var client: OAuthClient
    let user: String
    private let random = SeededRandomness(seed: 5)

    static let path = "/v3/OS-OAUTH1"

    static func run(_ body: (inout OAuth) async throws -> Void) async throws {
        try await Delegation.run { it in
            var oauth = try await OAuth(it)
            try await body(&oauth)
        }
    }

    init(_ it: Delegation) async throws {
        self.it = it
        let made = await it.cloud.send(.post, "\(Self.path)/consumers", token: it.admin, json: ["consumer": ["description": "a program"]])
        client = OAuthClient(
            id: try #require(made.json["consumer"]?["id"]?.string), secret: try #require(made.json["consumer"]?["secret"]?.string))
        let users = await it.cloud.send(.get, "/v3/users?name=admin", token: it.admin).json["users"]?.array
        user = try #require(users?.first?["id"]?.string)
        try await it.grant(it.manager, to: user)
    }

    func header(_ path: String, _ more: [String: String] = [:], nonce: String? = nil) -> String {
        client.authorization(
            "POST", TestCloud.url + path, at: it.cloud.clock.now, nonce: nonce ?? random.hexID(), more)
    }

    func requestToken(_ headers: HTTPFields) async -> TestCloud.Response {
        await it.cloud.send(.post, "\(Self.path)/request_token", headers: headers)
    }

    static let project = HTTPField.Name("Requested-Project-Id")!

    mutating func ask() async throws {
        client.token = ("", "")
        let header = header("\(Self.path)/request_token", ["oauth_callback": "oob"])
        let reply = await requestToken([.authorization: header, Self.project: it.web])
        #expect(reply.status == .created)
        #expect(reply.headers[.contentType] == "application/x-www-form-urlencoded")
        let form = try Query(reply.text)
        #expect(form["oauth_expires_at"] == "2026-01-01T08:00:00.000000Z")
        client.token = (try #require(form["oauth_token"]), try #require(form["oauth_token_secret"]))
    }

    func authorize(_ roles: JSON, token: String? = nil, id: String? = nil) async -> TestCloud.Response {
        await it.cloud.send(.put, "\(Self.path)/authorize/\(id ?? client.token.id)", token: token ?? it.admin, json: ["roles": roles])
    }

    func verifier(_ roles: JSON = [["name": "manager"]]) async throws -> String {
        try #require(await authorize(roles).json["token"]?["oauth_verifier"]?.string)
    }

    func accessToken(_ verifier: String) async -> TestCloud.Response {
        let path = "\(Self.path)/access_token"
        return await it.cloud.send(.post, path, headers: [.authorization: header(path, ["oauth_verifier": verifier])])
    }

    /// Goes all the way to an access token.
    mutating func obtain(_ roles: JSON = [["name": "manager"]]) async throws {
        try await ask()
        let reply = await accessToken(try await verifier(roles))
        #expect(reply.status == .created)
        let form = try Query(reply.text)
        client.token = (try #require(form["oauth_token"]), try #require(form["oauth_token_secret"]))
    }

    func authenticate(_ authorization: String? = nil) async -> TestCloud.Response {
        await it.cloud.send(
            .post, "/v3/auth/tokens", json: ["auth": ["identity": ["methods": ["oauth1"], "oauth1": [:]]]],
            headers: [.authorization: authorization ?? header("/v3/auth/tokens")])
    }
}
