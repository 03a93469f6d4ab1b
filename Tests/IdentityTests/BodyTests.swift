import CloudCore
import HTTPTypes
import TestSupport
import Testing

/// The messages for wrong bodies: clients show them.
@Suite("Bodies of Identity")
struct BodyTests {
    private static func auth(_ identity: JSON, _ scope: JSON? = nil) -> JSON {
        var auth: JSONObject = ["identity": identity]
        if let scope { auth["scope"] = scope }
        return ["auth": .object(auth)]
    }

    private static func password(_ user: JSON, _ scope: JSON? = nil) -> JSON {
        auth(["methods": ["password"], "password": ["user": user]], scope)
    }

    private static let stranger: JSON = ["id": "nobody", "password": "p"]

    private static let authentications: [(body: JSON, words: String)] = [
        ([:], "field 'auth': 'auth' is a required property."),
        (auth(["methods": []]), "field 'auth/identity/methods': it must name a method."),
        (auth(["methods": ["token", "token"]]), "field 'auth/identity/methods': it names a method twice."),
        (auth(["methods": ["token"]]), "field 'auth/identity': 'token' is a required property."),
        (auth(["methods": ["token"], "token": [:]]), "field 'auth/identity/token': 'id' is a required property."),
        (auth(["methods": ["magic"], "magic": 1]), "field 'auth/identity/magic': it must be an object."),
        (
            auth(["methods": ["application_credential"], "application_credential": ["secret": "s"]]),
            "field 'auth/identity/application_credential': it needs an id, or a name and its user."
        ),
        (password(["password": "p"]), "field 'auth/identity/password/user': id or name must be present."),
        (password(["name": "n", "password": "p"]), "field 'auth/identity/password/user': a name needs its domain."),
        (
            password(["name": "n", "domain": [:], "password": "p"]),
            "field 'auth/identity/password/user/domain': id or name must be present."
        ),
        (password(["name": "n"]), "field 'auth/identity/password/user': 'password' is a required property."),
        (
            password(stranger, ["project": ["id": "p"], "domain": ["id": "d"]]),
            "field 'auth/scope': it names more than one scope: project, domain."
        ),
        (password(stranger, ["system": ["all": false]]), "field 'auth/scope/system': 'all' must be true."),
        (password(stranger, ["project": ["name": "p"]]), "field 'auth/scope/project': a name needs its domain."),
    ]

    @Test("A wrong body of an authentication is refused with its place")
    func authentication() async throws {
        try await TestCloud.run { cloud in
            for (body, words) in Self.authentications {
                let response = await cloud.send(.post, "/v3/auth/tokens", json: body)
                #expect(response.status == .badRequest, "\(body.text)")
                let message = response.json["error"]?["message"]?.string
                #expect(message == "Invalid input for \(words)", "\(body.text)")
            }
        }
    }

    @Test("The id of a region is its URL's, its body's, or drawn")
    func regions() async throws {
        try await Stage.run { stage in
            for id in [nil, ""] as [JSON] {
                let made = await stage.send(.post, "/v3/regions", ["region": ["id": id]], as: stage.admin, .created)
                #expect(made["region"]?["id"]?.string?.count == 32)
            }
            let bodies: [(id: JSON, words: String)] = [
                (nil, "Invalid input for field 'region/id': a value of the type null is not expected here."),
                ("other", #"Conflicting region IDs specified: "mine" != "other"."#),
            ]
            for (id, words) in bodies {
                let body: JSON = ["region": ["id": id]]
                let refused = await stage.send(.put, "/v3/regions/mine", body, as: stage.admin, .badRequest)
                #expect(refused["error"]?["message"]?.string == words)
            }
            _ = await stage.send(.put, "/v3/regions/mine", ["region": ["id": "mine"]], as: stage.admin, .created)
        }
    }
}
