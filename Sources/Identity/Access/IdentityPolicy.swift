package import Access

/// The default policy rules of Identity, which the operator's policy file can override. They are the rules of Keystone
/// 30 without its deprecated ones, so a policy file means the same to both.
///
/// Each other file in this folder has the rules of one area, with one entry for each action.
package enum IdentityPolicy {
    package static let defaults: [PolicyDefault] =
        namedRules + userRules + projectRules + roleRules + catalogRules + credentialRules + tokenRules + limitRules

    /// The rules that other rules refer to, so that an operator can change them in one place.
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

    // The parts that rules of several areas share.
    static let anyone = "@"
    static let admin = "rule:admin_required"
    static let serviceOrAdmin = "rule:service_or_admin"
    static let systemReader = "(role:reader and system_scope:all)"
    static let adminOrSystemReader = "\(admin) or \(systemReader)"
    static let owner = "user_id:%(user_id)s"
    static let targetUser = "user_id:%(target.user.id)s"

    /// No role above `manager` may be in this list: a caller who can grant `admin` can soon hold it.
    private static let managedRoles =
        "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s"
}

extension Set<PolicyScope> {
    static let any: Self = [.system, .domain, .project]
    static let systemOrProject: Self = [.system, .project]
    static let project: Self = [.project]
}
