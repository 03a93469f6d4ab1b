import CloudCore
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite struct DomainConfigurationTests {
    private static let path = "/v3/domains/default/config"

    private let whole: JSON = [
        "config": ["ldap": ["url": "ldap://a.test", "user_tree_dn": "ou=people", "password": "hidden"], "identity": ["driver": "ldap"]]
    ]

    @Test func aConfigurationIsReplacedMergedAndRemoved() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.get, Self.path, as: stage.admin, .notFound)
            let made = await stage.send(.put, Self.path, whole, as: stage.admin, .created)
            #expect(made == ["config": ["ldap": ["url": "ldap://a.test", "user_tree_dn": "ou=people"], "identity": ["driver": "ldap"]]])
            #expect(await stage.send(.get, Self.path, as: stage.admin, .ok) == made)
            _ = await stage.send(.head, Self.path, as: stage.admin, .ok)
            _ = await stage.send(.put, Self.path, whole, as: stage.admin, .ok)
            #expect(await stage.send(.get, "\(Self.path)/identity", as: stage.admin, .ok) == ["config": ["identity": ["driver": "ldap"]]])
            #expect(await stage.send(.get, "\(Self.path)/ldap/url", as: stage.admin, .ok) == ["config": ["url": "ldap://a.test"]])
            _ = await stage.send(.get, "\(Self.path)/ldap/suffix", as: stage.admin, .notFound)
            let merged = await stage.send(.patch, Self.path, ["config": ["ldap": ["page_size": 5]]], as: stage.admin, .ok)
            #expect(merged["config"]?["ldap"] == ["url": "ldap://a.test", "user_tree_dn": "ou=people", "page_size": 5])
            _ = await stage.send(.patch, "\(Self.path)/ldap", ["config": ["ldap": ["suffix": "dc=a", "url": "ldap://b.test"]]], as: stage.admin, .ok)
            let one = await stage.send(.patch, "\(Self.path)/ldap/url", ["config": ["url": "ldap://c.test"]], as: stage.admin, .ok)
            #expect(one["config"]?["ldap"]?["url"] == "ldap://c.test")
            #expect(one["config"]?["ldap"]?["suffix"] == "dc=a")
            _ = await stage.send(.delete, "\(Self.path)/ldap/url", as: stage.admin, .noContent)
            _ = await stage.send(.delete, "\(Self.path)/ldap/url", as: stage.admin, .notFound)
            _ = await stage.send(.delete, "\(Self.path)/identity", as: stage.admin, .noContent)
            _ = await stage.send(.delete, "\(Self.path)/identity", as: stage.admin, .notFound)
            _ = await stage.send(.delete, Self.path, as: stage.admin, .noContent)
            _ = await stage.send(.get, Self.path, as: stage.admin, .notFound)
            _ = await stage.send(.delete, Self.path, as: stage.admin, .noContent)
        }
    }

    @Test func passwordsAreNeverShownNorStoredInPlainText() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.put, Self.path, whole, as: stage.admin, .created)
            _ = await stage.send(.get, "\(Self.path)/ldap/password", as: stage.admin, .notFound)
            let changed = await stage.send(.patch, "\(Self.path)/ldap/password", ["config": ["password": "other"]], as: stage.admin, .ok)
            #expect(!changed.text.contains("other"))
            _ = await stage.send(.get, "/v3/domains/config/ldap/password/default", as: stage.admin, .forbidden)
            let stored = try await stage.cloud.database.read { tx in
                try tx.rows("SELECT value, sealed_value FROM identity_domain_option WHERE name = 'password'").map {
                    (try $0["value"] as String?, try $0["sealed_value"] as [UInt8]?)
                }
            }
            #expect(stored.count == 1)
            #expect(stored[0].0 == nil)
            #expect(stored[0].1.map { !String(decoding: $0, as: UTF8.self).contains("other") } == true)
            _ = await stage.send(.delete, "\(Self.path)/ldap/password", as: stage.admin, .noContent)
            _ = await stage.send(.delete, "\(Self.path)/ldap/password", as: stage.admin, .notFound)
        }
    }

    @Test func everyRouteRefusesCallersWithoutRights() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.put, Self.path, whole, as: stage.admin, .created)
            let none = "/v3/domains/none/config"
            await stage.guarded(.put, Self.path, whole, missing: none)
            for (end, body) in [("", whole), ("/ldap", ["config": ["ldap": ["url": "u"]]]), ("/ldap/url", ["config": ["url": "u"]])] as [(String, JSON)] {
                await stage.guarded(.get, Self.path + end, missing: none + end)
                await stage.guarded(.patch, Self.path + end, body, missing: none + end)
                await stage.guarded(.delete, Self.path + end, missing: none + end)
                await stage.guarded(.get, "/v3/domains/config\(end)/default")
            }
            await stage.refuses(.put, Self.path, [["config": 1], ["config": []]])
            await stage.refuses(.patch, Self.path, [["config": 1]])
        }
    }

    @Test func anUnknownOptionIsForbidden() async throws {
        try await Stage.run { stage in
            _ = await stage.send(.put, Self.path, whole, as: stage.admin, .created)
            for config in [[:], ["config": [:]], ["config": ["ldap": [:]]], ["config": ["ldap": "x"]], ["config": ["ldap": ["x": 1]]], ["config": ["x": ["y": 1]]]] as [JSON] {
                _ = await stage.send(.put, Self.path, config, as: stage.admin, .forbidden)
                _ = await stage.send(.patch, Self.path, config, as: stage.admin, .forbidden)
            }
            for end in ["/none", "/ldap/none", "/none/url"] {
                _ = await stage.send(.get, Self.path + end, as: stage.admin, .forbidden)
                _ = await stage.send(.delete, Self.path + end, as: stage.admin, .forbidden)
                _ = await stage.send(.get, "/v3/domains/config\(end)/default", as: stage.admin, .forbidden)
            }
            // Only what the path names may be changed, and it must exist.
            for (end, body) in [
                ("/ldap", ["config": ["identity": ["driver": "sql"]]]),
                ("/ldap", ["config": ["ldap": ["url": "u"], "identity": ["driver": "sql"]]]),
                ("/ldap/url", ["config": ["suffix": "s"]]), ("/ldap/url", ["config": ["url": "u", "suffix": "s"]]),
            ] as [(String, JSON)] {
                _ = await stage.send(.patch, Self.path + end, body, as: stage.admin, .forbidden)
            }
            _ = await stage.send(.patch, "\(Self.path)/ldap/suffix", ["config": ["suffix": "s"]], as: stage.admin, .notFound)
        }
    }

    @Test func theDefaultConfigurationIsShown() async throws {
        try await Stage.run { stage in
            let all = await stage.send(.get, "/v3/domains/config/default", as: stage.admin, .ok)
            #expect(all["config"]?["identity"] == ["driver": "sql", "list_limit": nil])
            #expect(all["config"]?["ldap"]?.object?.count == 49)
            #expect(await stage.send(.get, "/v3/domains/config/identity/default", as: stage.admin, .ok)["config"]?.object?.count == 1)
            #expect(await stage.send(.get, "/v3/domains/config/ldap/pool_size/default", as: stage.admin, .ok) == ["config": ["pool_size": 10]])
        }
    }

    @Test func everyUserMayReadTheRulesForPasswords() async throws {
        try await Stage.run {
            $0.compliance.passwordRegex = "^.{7,}$"
            $0.compliance.passwordRegexDescription = "Seven characters"
        } _: { stage in
            let path = "\(Self.path)/security_compliance"
            #expect(
                await stage.send(.get, path, as: stage.demo, .ok)
                    == ["config": ["security_compliance": ["password_regex": "^.{7,}$", "password_regex_description": "Seven characters"]]])
            #expect(await stage.send(.get, "\(path)/password_regex", as: stage.demo, .ok) == ["config": ["password_regex": "^.{7,}$"]])
            _ = await stage.send(.get, "\(path)/lockout_duration", as: stage.demo, .forbidden)
            _ = await stage.send(.get, "/v3/domains/other/config/security_compliance", as: stage.demo, .forbidden)
            _ = await stage.send(.get, path, as: nil, .unauthorized)
        }
    }
}
