import Access
import Testing

@Suite struct PolicyRuleParserTests {
    private static let a = PolicyRule.role(.literal("a"))
    private static let b = PolicyRule.role(.literal("b"))
    private static let c = PolicyRule.role(.literal("c"))

    @Test(arguments: [
        ("", PolicyRule.always), ("@", .always), ("!", .never),
        ("role:Admin", .role(.literal("admin"))),
        ("role:%(target.role.name)s", .role(.attribute("target.role.name"))),
        ("rule:Admin_Required", .reference("Admin_Required")),
        ("user_id:%(target.user.id)s", .credential(.userID, .attribute("target.user.id"))),
        ("token.project.domain.id:%(target.domain.id)s", .credential(.tokenProjectDomainID, .attribute("target.domain.id"))),
        ("system_scope:all", .credential(.systemScope, .literal("all"))),
        ("is_admin:True", .credential(.isAdmin, .literal("True"))),
        ("service_roles:service", .credential(.serviceRoles, .literal("service"))),
        ("'Member':%(target.role.name)s", .text("Member", .attribute("target.role.name"))),
        ("\"True\":%(enabled)s", .text("True", .attribute("enabled"))),
        ("None:%(target.role.domain_id)s", .text("None", .attribute("target.role.domain_id"))),
        ("True:%(enabled)s", .text("True", .attribute("enabled"))),
        ("1:%(level)s", .text("1", .attribute("level"))),
        ("user_id:a:b", .credential(.userID, .literal("a:b"))),
    ])
    func everyKindOfCheckIsRead(text: String, rule: PolicyRule) throws {
        #expect(try PolicyRule(parsing: text) == rule)
    }

    @Test(arguments: [
        ("role:a and role:b", PolicyRule.all([a, b])),
        ("role:a or role:b or role:c", .any([a, b, c])),
        ("role:a or role:b and role:c", .any([a, .all([b, c])])),
        ("role:a and role:b or role:c", .any([.all([a, b]), c])),
        ("not role:a and role:b", .all([.not(a), b])),
        ("not role:a or role:b", .any([.not(a), b])),
        ("not (role:a or role:b)", .not(.any([a, b]))),
        ("not not role:a", .not(.not(a))),
        ("(role:a or role:b) and role:c", .all([.any([a, b]), c])),
        ("((role:a))", a),
        ("  ( role:a )\tAND\nNot role:b  ", .all([a, .not(b)])),
    ])
    func operatorsBindInTheOrderNotAndOr(text: String, rule: PolicyRule) throws {
        #expect(try PolicyRule(parsing: text) == rule)
    }

    @Test(arguments: [
        ("   ", 4, "expected a check"),
        ("role:a and", 11, "expected a check"),
        ("or role:a", 1, "expected a check"),
        ("not", 4, "expected a check"),
        ("()", 2, "expected a check"),
        ("(role:a", 8, "expected )"),
        ("role:a)", 7, "there is no ( for this )"),
        ("role:a role:b", 8, "expected \"and\" or \"or\" between two checks"),
        ("role:a and admin", 12, "\"admin\" is no check: one is written name:value, @ or !"),
        ("role:a or role:", 16, "expected a value after the colon"),
        ("rule:", 6, "expected the name of a rule"),
        ("tenant:%(tenant_id)s", 1, "there is no credential \"tenant\""),
        ("http://example.org/check", 1, "there is no credential \"http\""),
        ("'open:%(x)s", 1, "there is no credential \"'open\""),
        ("user_id:%(x)d", 9, "an attribute of the target is written %(name)s, alone"),
        ("user_id:a-%(x)s", 9, "an attribute of the target is written %(name)s, alone"),
        ("user_id:%(x)s%(y)s", 9, "an attribute of the target is written %(name)s, alone"),
        ("user_id:%()s", 9, "an attribute of the target is written %(name)s, alone"),
        ("user_id:%(x", 9, "an attribute of the target is written %(name)s, alone"),
    ])
    func anErrorNamesTheProblemAndItsColumn(text: String, column: Int, problem: String) {
        let error = #expect(throws: PolicySyntaxError.self) { try PolicyRule(parsing: text) }
        #expect(error?.column == column)
        #expect(error?.problem == problem)
    }
}
