import Access
import CloudCore
import Testing

extension Action {
    fileprivate static let getUser: Action = "identity:get_user"
    fileprivate static let createUser: Action = "identity:create_user"
    fileprivate static let listRegions: Action = "identity:list_regions"
    fileprivate static let createRegion: Action = "identity:create_region"
    fileprivate static let createTrust: Action = "identity:create_trust"
    fileprivate static let whoAmI: Action = "identity:who_am_i"
}

@Suite struct PolicyTests {
    private static let defaults: [PolicyDefault] = [
        PolicyDefault("admin_required", "role:admin"),
        PolicyDefault("owner", "user_id:%(target.user.id)s"),
        PolicyDefault(
            .getUser,
            "rule:admin_required or (role:reader and system_scope:all) or "
                + "(role:reader and token.domain.id:%(target.user.domain_id)s) or rule:owner",
            scopes: [.system, .domain, .project]),
        PolicyDefault(
            .createUser, "rule:admin_required or (role:manager and token.domain.id:%(target.user.domain_id)s)",
            scopes: [.system, .domain, .project]),
        PolicyDefault(.listRegions, "", scopes: [.system, .domain, .project]),
        PolicyDefault(.createRegion, "rule:admin_required", scopes: [.system, .project]),
        PolicyDefault(.createTrust, "user_id:%(target.trust.trustor_user_id)s", scopes: [.project]),
        PolicyDefault(.whoAmI, "@"),
    ]

    /// The target of the rules: the user `member` of the domain `home`, who is also one of the callers, and a trust
    /// that this user grants.
    private static let target: PolicyTarget = [
        "target.user.id": "member", "target.user.domain_id": "home", "target.trust.trustor_user_id": "member",
    ]

    @Test(arguments: [
        (Principal.systemAdmin, [Action.getUser, .createUser, .listRegions, .createRegion, .whoAmI]),
        (.systemReader, [.getUser, .listRegions, .whoAmI]),
        (.domainAdmin, [.getUser, .createUser, .listRegions, .whoAmI]),
        (.domainManager, [.getUser, .createUser, .listRegions, .whoAmI]),
        (.projectMember, [.getUser, .listRegions, .createTrust, .whoAmI]),
        (.nobody, [.listRegions, .whoAmI]),
    ])
    func everyPersonaMayDoWhatItsRolesAndScopeAllow(principal: Principal, allowed: [Action]) throws {
        let policy = try Policy(defaults: Self.defaults)
        let actions = policy.actions.filter { $0.name.hasPrefix("identity:") }
        #expect(actions.filter { policy.allows($0, principal, Self.target) } == allowed.sorted())
    }

    @Test func aDomainManagerHasNoRightsInAnotherDomain() throws {
        let policy = try Policy(defaults: Self.defaults)
        #expect(!policy.allows(.createUser, .domainManager, ["target.user.domain_id": "away"]))
        #expect(!policy.allows(.createUser, .domainManager, ["target.user.domain_id": nil]))
        #expect(!policy.allows(.createUser, .domainManager))
    }

    @Test func aTokenOfTheWrongScopeIsRefusedWhateverItsRoles() throws {
        let policy = try Policy(defaults: [
            PolicyDefault("x:system", "@", scopes: [.system]), PolicyDefault("x:domain", "@", scopes: [.domain]),
            PolicyDefault("x:project", "@", scopes: [.project]), PolicyDefault("x:any", "@"),
        ])
        func allowed(_ principal: Principal) -> [String] { policy.actions.filter { policy.allows($0, principal) }.map(\.name) }
        #expect(allowed(.systemAdmin) == ["x:any", "x:system"])
        #expect(allowed(.domainAdmin) == ["x:any", "x:domain"])
        #expect(allowed(.projectMember) == ["x:any", "x:project"])
        #expect(allowed(.nobody) == ["x:any", "x:project"])
    }

    @Test func aRefusalNamesTheActionAndKeepsTheReasonForTheOperator() throws {
        let policy = try Policy(defaults: Self.defaults)
        func refusal(_ action: Action, _ principal: Principal) -> CloudError? {
            #expect(throws: CloudError.self) { try policy.require(action, principal, Self.target) }
        }
        let byRule = refusal(.createUser, .projectMember)
        #expect(byRule?.kind == .forbidden)
        #expect(byRule?.message == "You are not authorized to perform the requested action: identity:create_user.")
        #expect(byRule?.detail == "the rule does not hold")
        #expect(refusal(.createRegion, .domainAdmin)?.detail == "the token's scope is not one that this action takes")
        #expect(refusal("identity:unheard_of", .systemAdmin)?.detail == "there is no such rule")
        try policy.require(.createUser, .systemAdmin, Self.target)
    }

    @Test func anOverrideReplacesTheRuleOfAnActionButNotItsScopes() throws {
        let policy = try Policy(
            defaults: Self.defaults, overrides: ["identity:create_region": "@", "identity:get_user": "!"])
        #expect(policy.allows(.createRegion, .projectMember))
        #expect(!policy.allows(.createRegion, .domainAdmin))
        #expect(!policy.allows(.getUser, .systemAdmin, Self.target))
    }

    @Test func anOverrideOfANamedRuleChangesEveryRuleThatRefersToIt() throws {
        let policy = try Policy(defaults: Self.defaults, overrides: ["admin_required": "role:admin or role:manager"])
        #expect(policy.allows(.createUser, .domainManager, ["target.user.domain_id": "away"]))
        #expect(policy.allows("admin_required", .domainManager))
    }

    @Test(arguments: [
        (
            ["identity:get_usr": "@"], PolicyError.unknownName("identity:get_usr"),
            "The policy has no rule named identity:get_usr."
        ),
        (
            ["identity:get_user": "rule:boss"], .unknownReference(to: "boss", in: "identity:get_user"),
            "The policy rule identity:get_user refers to rule:boss, which does not exist."
        ),
        (
            ["owner": "rule:admin_required", "admin_required": "role:x or not rule:owner"],
            .cycle(["admin_required", "owner", "admin_required"]),
            "The policy rules refer to each other in a circle: admin_required -> owner -> admin_required."
        ),
        (
            ["owner": "rule:owner"], .cycle(["owner", "owner"]),
            "The policy rules refer to each other in a circle: owner -> owner."
        ),
    ])
    func anInvalidOverrideIsAnErrorThatNamesIt(overrides: [String: String], expected: PolicyError, message: String) {
        let error = #expect(throws: PolicyError.self) { try Policy(defaults: Self.defaults, overrides: overrides) }
        #expect(error == expected)
        #expect(error?.description == message)
    }

    @Test func anOverrideThatDoesNotParseIsAnErrorWithItsColumn() {
        let error = #expect(throws: PolicyError.self) {
            try Policy(defaults: Self.defaults, overrides: ["identity:get_user": "role:admin nad role:x"])
        }
        #expect(
            error?.description
                == "The policy rule identity:get_user cannot be read: expected \"and\" or \"or\" between two checks,"
                + " at column 12 of \"role:admin nad role:x\".")
    }

    @Test func twoDefaultsWithOneNameAreAnError() {
        #expect(throws: PolicyError.duplicateName("a")) {
            try Policy(defaults: [PolicyDefault("a", "@"), PolicyDefault("a", "!")])
        }
    }
}
