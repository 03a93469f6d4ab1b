import Access
import CloudCore
import HTTPTypes
import ServiceKit
import TestSupport
import Testing

@testable import ControlPlane

/// The way of the policy file's rules to their services.
@Suite("Rules of the policy file")
struct PolicyOverrideTests {
    private static func shared() -> [String: [String]] {
        var services: [String: [String]] = [:]
        for assembly in Cloud.services {
            for rule in assembly.policyRules { services[rule.action.name, default: []].append(assembly.name) }
        }
        return services.filter { $0.value.count > 1 }
    }

    @Test("A rule that no service knows ends the start with an error that names it")
    func unknown() async throws {
        await #expect(throws: PolicyError.unknownName("identity:get_usr")) {
            try await Self.run("\"identity:get_usr\": \"@\"\n\"identity:get_user\": \"@\"\n") { _ in }
        }
        #expect(throws: PolicyError.unknownName("a")) { try PolicyOverrides(["b": "@", "a": "@"], for: Cloud.services) }
    }

    @Test("Each service gets its own rules, and a rule that several services have goes to each")
    func split() throws {
        let rules = ["identity:get_user": "@", "create_network": "!", "owner": "!"]
        let overrides = try PolicyOverrides(rules, for: Cloud.services)
        let given = Dictionary(uniqueKeysWithValues: Cloud.services.map { ($0.name, Set(overrides[$0].keys)) })
        #expect(
            given == [
                "Identity": ["identity:get_user", "owner"], "Placement": [], "Images": [],
                "Networking": ["create_network", "owner"], "Compute": [], "BlockStorage": [],
            ])
    }

    @Test("The rule names that several services share are those that docs/policy.md lists")
    func sharedNames() {
        #expect(
            Self.shared() == [
                "admin_or_owner": ["Identity", "Networking", "BlockStorage"], "owner": ["Identity", "Networking"],
                "service_or_admin": ["Identity", "Compute"],
                "context_is_admin": ["Images", "Networking", "Compute", "BlockStorage"],
                "service_api": ["Placement", "Images", "Networking", "Compute"],
                "project_reader_api": ["Placement", "Compute"], "admin_api": ["Placement", "BlockStorage"],
            ])
    }

    @Test("An override of a rule reaches Identity even if Networking has a rule of the same name")
    func owner() async throws {
        func statuses(_ rules: String) async throws -> [HTTPResponse.Status] {
            try await Self.run(rules) { cloud in
                let admin = try await cloud.token()
                let demo = try await cloud.memberToken()
                let users = await cloud.send(.get, "/v3/users?name=demo", token: admin).json["users"]?.array
                let id = try #require(users?.first?["id"]?.string)
                return [await cloud.send(.get, "/v3/users/\(id)/credentials/OS-EC2", token: demo).status]
            }
        }
        #expect(try await statuses("") == [.ok])
        #expect(try await statuses("\"owner\": \"!\"\n") == [.forbidden])
    }

    private static func run<Value: Sendable>(
        _ rules: String, _ body: (TestCloud) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let path = folder + "/policy.yaml"
            try Files.write(rules, to: path)
            return try await TestCloud.run({ $0.policy.file = path }, body)
        }
    }
}
