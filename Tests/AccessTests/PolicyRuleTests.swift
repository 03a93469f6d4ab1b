import Access
import CloudCore
import TestSupport
import Testing

@Suite struct PolicyRuleTests {
    private func holds(_ text: String, _ principal: Principal, _ target: PolicyTarget = [:]) throws -> Bool {
        try PolicyRule(parsing: text).holds(for: principal, on: target)
    }

    @Test func roleNamesCompareWithoutRegardToCase() throws {
        let shouting = Principal.persona("x", .system, ["ADMIN", "Müller"])
        #expect(try holds("role:admin", shouting))
        #expect(try holds("role:Admin", .systemAdmin))
        #expect(try holds("role:MÜLLER", shouting))
        #expect(try holds("role:%(wanted)s", shouting, ["wanted": "aDmin"]))
        #expect(try !holds("role:adm", shouting))
        #expect(try !holds("role:%(wanted)s", shouting, ["wanted": nil]))
    }

    @Test(arguments: [
        ("user_id:member", true), ("user_id:Member", false), ("user_domain_id:home", true),
        ("project_id:web", true), ("project_domain_id:home", true), ("domain_id:None", true), ("domain_id:home", false),
        ("system_scope:None", true), ("system_scope:all", false), ("roles:reader", true), ("roles:READER", false),
        ("trust_id:None", true), ("trustor_id:None", true), ("trustee_id:None", true),
        ("is_admin:True", false), ("is_admin:1", false), ("is_admin_project:True", true),
        ("service_roles:service", false), ("service_user_id:None", true), ("service_project_id:None", true),
        ("token.user.id:member", true), ("token.user.domain.id:home", true),
        ("token.project.id:web", true), ("token.project.domain.id:home", true),
        ("token.domain.id:home", false), ("token.domain.id:None", false), ("token.system.all:True", false),
    ])
    func everyCredentialOfAProjectTokenCompares(text: String, expected: Bool) throws {
        #expect(try holds(text, .projectMember) == expected)
    }

    @Test(arguments: [
        ("domain_id:home", true), ("token.domain.id:home", true), ("project_id:None", true), ("token.project.id:None", false),
        ("token.project.domain.id:None", false), ("project_domain_id:None", true), ("is_admin_project:False", true),
    ])
    func everyCredentialOfADomainTokenCompares(text: String, expected: Bool) throws {
        #expect(try holds(text, .domainManager) == expected)
    }

    @Test func aSystemTokenHasTheScopeOfTheSystem() throws {
        #expect(try holds("system_scope:all and token.system.all:True", .systemAdmin))
        #expect(try holds("project_id:None and domain_id:None", .systemAdmin))
    }

    @Test func theIDsOfATrustAreCredentials() throws {
        var trusted = Principal.projectMember
        trusted.trust = Principal.Trust(id: ID("t"), trustorID: ID("giver"), trusteeID: ID("taker"))
        #expect(try holds("trust_id:t and trustor_id:giver and trustee_id:%(user_id)s", trusted, ["user_id": "taker"]))
    }

    @Test func aMissingAttributeMakesOnlyItsOwnCheckFalse() throws {
        #expect(try !holds("user_id:%(target.user.id)s", .projectMember))
        #expect(try !holds("None:%(target.user.id)s", .projectMember))
        #expect(try !holds("role:%(target.role.name)s", .projectMember))
        #expect(try holds("user_id:%(target.user.id)s or role:member", .projectMember))
        #expect(try holds("not user_id:%(target.user.id)s", .projectMember))
    }

    @Test func aNullAttributeEqualsNone() throws {
        #expect(try holds("None:%(target.role.domain_id)s", .projectMember, ["target.role.domain_id": nil]))
        #expect(try !holds("None:%(target.role.domain_id)s", .projectMember, ["target.role.domain_id": "home"]))
        #expect(try holds("domain_id:%(target.domain_id)s", .projectMember, ["target.domain_id": nil]))
        #expect(try !holds("token.domain.id:%(target.domain_id)s", .projectMember, ["target.domain_id": nil]))
        let guarded = "domain_id:%(target.domain_id)s and not None:%(target.domain_id)s"
        #expect(try !holds(guarded, .projectMember, ["target.domain_id": nil]))
        #expect(try holds(guarded, .domainManager, ["target.domain_id": "home"]))
    }

    @Test func aFixedTextComparesWithAnAttribute() throws {
        #expect(try holds("'member':%(target.role.name)s", .nobody, ["target.role.name": "member"]))
        #expect(try !holds("'member':%(target.role.name)s", .nobody, ["target.role.name": "Member"]))
    }

    @Test func aTargetHasBooleansAndKeepsTheLastOfEqualNames() throws {
        var target: PolicyTarget = ["user_id": "first", "user_id": "member"]
        target.set("enabled", to: true)
        target.set("locked", to: false)
        #expect(try holds("user_id:%(user_id)s and True:%(enabled)s and 'False':%(locked)s", .projectMember, target))
        target.set("enabled", to: false)
        #expect(try !holds("True:%(enabled)s", .projectMember, target))
    }

    @Test func anUnresolvedReferenceIsFalse() throws {
        #expect(try !holds("rule:anything", .systemAdmin))
    }
}
