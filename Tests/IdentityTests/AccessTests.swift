import Access
import CloudCore
import TestSupport
import Testing

@testable import Identity

/// Identity's default rules: they are complete, and the most frequent callers have the intended rights.
@Suite struct IdentityAccessTests {
    private let policy: Policy

    init() throws { policy = try Policy(defaults: IdentityPolicy.defaults) }

    private func caller(_ user: String, _ scope: Principal.Scope, _ roles: [String]) -> Principal {
        Principal(
            userID: ID(user), userName: user, userDomain: .init(id: "home", name: "Home"), scope: scope,
            roles: roles.map { .init(id: $0, name: $0) }, expiresAt: Timestamp(microseconds: 0))
    }

    private var systemAdmin: Principal { caller("root", .system, ["admin"]) }
    private var systemReader: Principal { caller("auditor", .system, ["reader"]) }
    private var domainManager: Principal {
        caller("boss", .domain(.init(id: "home", name: "Home")), ["manager", "member", "reader"])
    }
    private var member: Principal {
        caller("me", .project(id: ID("web"), name: "web", domain: .init(id: "home", name: "Home")), ["member", "reader"])
    }

    @Test func everyActionHasOneRuleAndASummary() {
        #expect(policy.actions.count == IdentityPolicy.defaults.count)
        #expect(IdentityPolicy.defaults.allSatisfy { !$0.summary.isEmpty })
        #expect(policy.actions.filter { $0.name.hasPrefix("identity:") }.count == 174)
    }

    @Test func aSystemReaderReadsEverythingAndChangesNothing() {
        let changes = ["create_", "update_", "delete_", "add_", "remove_", "revoke_", "authorize_"]
        let changing = policy.actions.filter { action in changes.contains { action.name.hasPrefix("identity:\($0)") } }
        #expect(changing.count > 50)
        #expect(changing.filter { policy.allows($0, systemReader) } == [])
        for action: Action in [.listUsers, .getDomain, .listServices, .listTrusts, .checkGrant, .validateToken, .getAccessRule] {
            #expect(policy.allows(action, systemReader))
        }
    }

    @Test func aDomainManagerManagesOnlyTheOwnDomain() {
        let ours: PolicyTarget = ["target.user.domain_id": "home", "target.group.domain_id": "home"]
        let mixed: PolicyTarget = ["target.user.domain_id": "away", "target.group.domain_id": "home"]
        for action: Action in [.createUser, .deleteUser, .createGroup, .addUserToGroup, .removeUserFromGroup] {
            #expect(policy.allows(action, domainManager, ours))
            #expect(!policy.allows(action, member, ours))
        }
        #expect(!policy.allows(.createUser, domainManager, mixed))
        #expect(!policy.allows(.addUserToGroup, domainManager, mixed))
        #expect(!policy.allows(.createDomain, domainManager))
    }

    @Test(arguments: [("member", true), ("reader", true), ("manager", true), ("admin", false), ("service", false)])
    func aDomainManagerGrantsOnlyManagerMemberAndReader(role: String, allowed: Bool) {
        let target: PolicyTarget = [
            "target.user.domain_id": "home", "target.project.domain_id": "home",
            "target.role.name": role, "target.role.domain_id": nil,
        ]
        #expect(policy.allows(.createGrant, domainManager, target) == allowed)
        #expect(policy.allows(.revokeGrant, domainManager, target) == allowed)
        #expect(policy.allows(.createGrant, systemAdmin, target))
        #expect(!policy.allows(.createGrant, member, target))
    }

    @Test func aUserAccessesOnlyTheirOwnThings() {
        func about(_ user: String) -> PolicyTarget {
            [
                "user_id": user, "target.user.id": user, "target.credential.user_id": user, "target.token.user_id": user,
                "target.trust.trustor_user_id": user,
            ]
        }
        let own: [Action] = [
            .getUser, .listUserProjects, .listGroupsForUser, .createApplicationCredential, .listApplicationCredentials,
            .getCredential, .ec2CreateCredential, .createTrust, .deleteTrust, .checkToken, .revokeToken, .revokeTokensForUser,
        ]
        for action in own {
            #expect(policy.allows(action, member, about("me")), "\(action)")
            #expect(!policy.allows(action, member, about("other")), "\(action)")
        }
    }

    @Test func aProjectWithoutADomainIsNotVisibleToEverybody() {
        #expect(!policy.allows(.getProject, member, ["target.project.id": "root", "target.project.domain_id": nil]))
        #expect(policy.allows(.getProject, member, ["target.project.id": "web", "target.project.domain_id": "home"]))
    }
}
