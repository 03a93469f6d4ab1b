import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Identity

@Suite struct CredentialTests {
    private static let path = "/v3/credentials"

    private func body(_ user: String, type: String = "totp", blob: String = "GEZDGNBVGY3TQOJQ", project: String? = nil) -> JSON {
        var credential: JSONObject = ["user_id": .string(user), "type": .string(type), "blob": .string(blob)]
        if let project { credential["project_id"] = .string(project) }
        return ["credential": .object(credential)]
    }

    private func ec2(_ access: String, _ more: String = "") -> String { #"{"access": "\#(access)", "secret": "s"\#(more)}"# }

    @Test func usersManageTheirOwnCredentials() async throws {
        try await Stage.run { stage in
            let made = await stage.send(.post, Self.path, body(stage.demoID), as: stage.demo, .created)
            let id = try #require(made["credential"]?["id"]?.string)
            #expect(made["credential"]?["blob"]?.string == "GEZDGNBVGY3TQOJQ")
            #expect(made["credential"]?["links"]?["self"]?.string == "\(TestCloud.url)/v3/credentials/\(id)")
            let shown = await stage.send(.get, "\(Self.path)/\(id)", as: stage.demo, .ok)
            #expect(shown == made)
            let changed = await stage.send(.patch, "\(Self.path)/\(id)", ["credential": ["blob": "MFRGG"]], as: stage.demo, .ok)
            #expect(changed["credential"]?["blob"]?.string == "MFRGG")
            #expect(await stage.send(.get, "\(Self.path)/\(id)", as: stage.admin, .ok)["credential"]?["blob"]?.string == "MFRGG")
            _ = await stage.send(.delete, "\(Self.path)/\(id)", as: stage.demo, .noContent)
            _ = await stage.send(.get, "\(Self.path)/\(id)", as: stage.admin, .notFound)
        }
    }

    @Test func blobsAreSealedInTheDatabase() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.post, Self.path, body(stage.demoID), as: stage.demo, .created)
            let stored = try await stage.cloud.database.read { tx in
                try tx.rows("SELECT sealed_blob, extra FROM identity_credential").map {
                    (try $0["sealed_blob"] as [UInt8], try $0["extra"] as String)
                }
            }
            #expect(stored.count == 1)
            #expect(!String(decoding: stored[0].0, as: UTF8.self).contains("GEZDG"))
            #expect(stored[0].1 == "{}")
        }
    }

    @Test func everyRouteRefusesCallersWithoutRights() async throws {
        try await Stage.run { stage in
            let made = await stage.send(.post, Self.path, body(stage.adminID), as: stage.admin, .created)
            let id = try #require(made["credential"]?["id"]?.string)
            await stage.guarded(.get, "\(Self.path)/\(id)", missing: "\(Self.path)/none")
            await stage.guarded(.patch, "\(Self.path)/\(id)", ["credential": ["blob": "x"]], missing: "\(Self.path)/none")
            await stage.guarded(.delete, "\(Self.path)/\(id)", missing: "\(Self.path)/none")
            await stage.guarded(.post, Self.path, body(stage.adminID))
            _ = await stage.send(.get, Self.path, as: nil, .unauthorized)
            await stage.refuses(
                .post, Self.path,
                [
                    [:], ["credential": [:]], ["credential": ["user_id": "x", "type": "t"]], body("no-such-user"),
                    ["credential": ["user_id": .string(stage.adminID), "type": "t", "blob": ["a": "b"]]],
                    body(stage.adminID, type: "ec2", blob: ec2("a")), body(stage.adminID, type: "ec2", blob: "{}", project: "p"),
                    body(stage.adminID, type: "ec2", blob: "no json", project: "p"),
                ])
            await stage.refuses(
                .patch, "\(Self.path)/\(id)",
                [
                    [:], ["credential": [:]], ["credential": ["blob": 1]], ["credential": ["blob": "x", "type": "cert"]],
                    ["credential": ["blob": "x", "user_id": .string(stage.adminID)]],
                ])
        }
    }

    @Test func anEC2CredentialIsFoundByItsAccessKeyAndIsUnique() async throws {
        try await Stage.run { stage in
            let wanted = body(stage.demoID, type: "ec2", blob: ec2("AKIA"), project: stage.demoProject)
            let made = await stage.send(.post, Self.path, wanted, as: stage.demo, .created)
            #expect(made["credential"]?["id"]?.string == EC2Key.id(of: "AKIA").text)
            _ = await stage.send(.post, Self.path, wanted, as: stage.demo, .conflict)
        }
    }

    @Test func listsAreFiltered() async throws {
        try await Stage.run { stage in
            for (type, blob) in [("totp", "A"), ("totp", "B"), ("cert", "C")] {
                _ = await stage.send(.post, Self.path, body(stage.demoID, type: type, blob: blob), as: stage.demo, .created)
            }
            _ = await stage.send(.post, Self.path, body(stage.adminID, type: "cert"), as: stage.admin, .created)
            func count(_ query: String, _ token: String) async -> Int? {
                await stage.send(.get, "\(Self.path)\(query)", as: token, .ok)["credentials"]?.array?.count
            }
            #expect(await count("", stage.admin) == 4)
            #expect(await count("?type=totp", stage.admin) == 2)
            #expect(await count("?type=cert&user_id=\(stage.demoID)", stage.admin) == 1)
            #expect(await count("?type__contains=ert", stage.admin) == 2)
            #expect(await count("", stage.demo) == 3)
        }
    }

    @Test func ossa_2019_006_aListNeverShowsAnothersCredentials() async throws {
        try await Stage.run { stage in
            let victim = try await stage.user("victim", role: "member")
            _ = await stage.send(.post, Self.path, body(victim.id), as: victim.token, .created)
            for query in ["", "?user_id=\(victim.id)", "?type=totp", "?user_id=\(victim.id)&type=totp", "?user_id__contains=a"] {
                let seen = await stage.send(.get, "\(Self.path)\(query)", as: stage.demo, .ok)
                #expect(seen["credentials"]?.array == [], "\(query)")
            }
        }
    }

    @Test func ossa_2020_004_ownerProjectAndRestrictionOfAnEC2CredentialAreFixed() async throws {
        try await Stage.run { stage in
            let restricted = ec2("AKIA", #", "trust_id": "t1""#)
            let made = await stage.send(
                .post, Self.path, body(stage.demoID, type: "ec2", blob: restricted, project: stage.demoProject), as: stage.demo, .created)
            let path = "\(Self.path)/\(try #require(made["credential"]?["id"]?.string))"
            for blob in [ec2("AKIA"), ec2("AKIA", #", "trust_id": "t2""#), ec2("AKIA", #", "trust_id": "t1", "app_cred_id": "a""#)] {
                _ = await stage.send(.patch, path, ["credential": ["blob": .string(blob)]], as: stage.demo, .badRequest)
            }
            for member in ["user_id", "project_id", "type", "id"] {
                let change: JSON = ["credential": ["blob": .string(restricted), member: .string(stage.adminID)]]
                _ = await stage.send(.patch, path, change, as: stage.demo, .badRequest)
            }
            let renewed = ec2("AKIB", #", "trust_id": "t1""#)
            _ = await stage.send(.patch, path, ["credential": ["blob": .string(renewed)]], as: stage.demo, .ok)
        }
    }

    @Test func ossa_2026_005_delegatedTokensReachNoCredential() async throws {
        try await Stage.run { stage in
            let made = await stage.send(.post, Self.path, body(stage.demoID), as: stage.demo, .created)
            let path = "\(Self.path)/\(try #require(made["credential"]?["id"]?.string))"
            let keys = "/v3/users/\(stage.demoID)/credentials/OS-EC2"
            let pair = await stage.send(.post, keys, ["tenant_id": .string(stage.demoProject)], as: stage.demo, .created)
            let access = try #require(pair["credential"]?["access"]?.string)
            for token in [try await HandedOn.applicationCredential(stage), try await HandedOn.signature(stage, pair)] {
                _ = await stage.send(.get, path, as: token, .forbidden)
                _ = await stage.send(.patch, path, ["credential": ["blob": "x"]], as: token, .forbidden)
                _ = await stage.send(.delete, path, as: token, .forbidden)
                _ = await stage.send(.post, Self.path, body(stage.demoID), as: token, .forbidden)
                #expect(await stage.send(.get, Self.path, as: token, .ok)["credentials"]?.array == [])
                _ = await stage.send(.get, keys, as: token, .forbidden)
                _ = await stage.send(.post, keys, ["tenant_id": .string(stage.demoProject)], as: token, .forbidden)
                _ = await stage.send(.get, "\(keys)/\(access)", as: token, .forbidden)
                _ = await stage.send(.delete, "\(keys)/\(access)", as: token, .forbidden)
            }
        }
    }
}
