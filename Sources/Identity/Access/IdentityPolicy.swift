package import Access

/// Who may do what with Identity unless the operator's policy file says otherwise: the rules that Keystone 30 has when none of
/// its deprecated ones is in force, so that a policy file written for one means the same to the other.
///
/// Each file beside this has the rules of one area, a line an action.
package enum IdentityPolicy {
    package static let defaults: [PolicyDefault] =
        namedRules + userRules + projectRules + roleRules + catalogRules + credentialRules + tokenRules + limitRules

    /// What the others refer to, for an operator to change in one place.
    private static let namedRules: [PolicyDefault] = [
        PolicyDefault("admin_required", "role:admin or is_admin:1", "May do nearly everything"),
        PolicyDefault("service_role", "role:service", "Is another service of the cloud"),
        PolicyDefault("service_or_admin", "rule:admin_required or rule:service_role", "Is either of them"),
        PolicyDefault("owner", owner, "Is the user whose id the path has"),
        PolicyDefault("admin_or_owner", "rule:admin_required or rule:owner", "Is either of them"),
        PolicyDefault("token_subject", "user_id:%(target.token.user_id)s", "Is the user of the token in question"),
        PolicyDefault("admin_or_token_subject", "rule:admin_required or rule:token_subject", "Is either of them"),
        PolicyDefault("service_admin_or_token_subject", "rule:service_or_admin or rule:token_subject", "Is any of them"),
        PolicyDefault("domain_managed_target_role", managedRoles, "The roles that a domain's manager may hand out"),
    ]

    // What rules are made of in more than one area.
    static let anyone = "@"
    static let admin = "rule:admin_required"
    static let serviceOrAdmin = "rule:service_or_admin"
    static let systemReader = "(role:reader and system_scope:all)"
    static let adminOrSystemReader = "\(admin) or \(systemReader)"
    static let owner = "user_id:%(user_id)s"
    static let targetUser = "user_id:%(target.user.id)s"

    /// Nothing above a manager may be in here: whoever hands out `admin` soon has it.
    private static let managedRoles =
        "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s"
}

extension Set<PolicyScope> {
    static let any: Self = [.system, .domain, .project]
    static let systemOrProject: Self = [.system, .project]
    static let project: Self = [.project]
}
