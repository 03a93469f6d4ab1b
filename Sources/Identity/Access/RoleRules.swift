import Access

extension Action {
    static let getRole: Action = "identity:get_role"
    static let listRoles: Action = "identity:list_roles"
    static let createRole: Action = "identity:create_role"
    static let updateRole: Action = "identity:update_role"
    static let deleteRole: Action = "identity:delete_role"
    static let getDomainRole: Action = "identity:get_domain_role"
    static let listDomainRoles: Action = "identity:list_domain_roles"
    static let createDomainRole: Action = "identity:create_domain_role"
    static let updateDomainRole: Action = "identity:update_domain_role"
    static let deleteDomainRole: Action = "identity:delete_domain_role"

    static let getImpliedRole: Action = "identity:get_implied_role"
    static let listImpliedRoles: Action = "identity:list_implied_roles"
    static let checkImpliedRole: Action = "identity:check_implied_role"
    static let createImpliedRole: Action = "identity:create_implied_role"
    static let deleteImpliedRole: Action = "identity:delete_implied_role"
    static let listRoleInferenceRules: Action = "identity:list_role_inference_rules"

    static let checkGrant: Action = "identity:check_grant"
    static let listGrants: Action = "identity:list_grants"
    static let createGrant: Action = "identity:create_grant"
    static let revokeGrant: Action = "identity:revoke_grant"
    static let listSystemGrantsForUser: Action = "identity:list_system_grants_for_user"
    static let checkSystemGrantForUser: Action = "identity:check_system_grant_for_user"
    static let createSystemGrantForUser: Action = "identity:create_system_grant_for_user"
    static let revokeSystemGrantForUser: Action = "identity:revoke_system_grant_for_user"
    static let listSystemGrantsForGroup: Action = "identity:list_system_grants_for_group"
    static let checkSystemGrantForGroup: Action = "identity:check_system_grant_for_group"
    static let createSystemGrantForGroup: Action = "identity:create_system_grant_for_group"
    static let revokeSystemGrantForGroup: Action = "identity:revoke_system_grant_for_group"
    static let listRoleAssignments: Action = "identity:list_role_assignments"
    static let listRoleAssignmentsForTree: Action = "identity:list_role_assignments_for_tree"
}

extension IdentityPolicy {
    private static let assignmentReader =
        "\(adminOrSystemReader) or (role:reader and domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)"

    /// The role is global, or belongs to the caller's own domain.
    private static let grantableRole = "(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)"

    /// Returns the rule that the caller has the role on one domain, to which both the actor (a user or a group) and the
    /// object (a project or the domain itself) belong. So nobody of one domain can grant its projects to another
    /// domain's users.
    private static func grant(within role: String) -> String {
        let pairs = ["user", "group"].flatMap { actor in
            ["project.domain_id", "domain.id"].map { object in
                "(role:\(role) and domain_id:%(target.\(actor).domain_id)s and domain_id:%(target.\(object))s)"
            }
        }
        return "(" + pairs.joined(separator: " or ") + ")"
    }

    /// A manager grants only the roles that the named rule lists. None of them is above the manager's own.
    private static let changeGrant =
        "\(admin) or \(grant(within: "admin")) and \(grantableRole)"
        + " or \(grant(within: "manager")) and rule:domain_managed_target_role"

    /// The rules for roles, implied roles, grants and role assignments.
    static let roleRules: [PolicyDefault] = [
        PolicyDefault(
            .getRole,
            "\(adminOrSystemReader) or (role:manager and rule:domain_managed_target_role)",
            "Show a role", scopes: .any),
        PolicyDefault(.listRoles, "\(adminOrSystemReader) or (role:manager and not domain_id:None)", "List roles", scopes: .any),
        PolicyDefault(.createRole, admin, "Create a role", scopes: .systemOrProject),
        PolicyDefault(.updateRole, admin, "Change a role", scopes: .systemOrProject),
        PolicyDefault(.deleteRole, admin, "Delete a role", scopes: .systemOrProject),
        PolicyDefault(.getDomainRole, adminOrSystemReader, "Show a domain's own role", scopes: .systemOrProject),
        PolicyDefault(.listDomainRoles, adminOrSystemReader, "List a domain's own roles", scopes: .systemOrProject),
        PolicyDefault(.createDomainRole, admin, "Create a role of a domain", scopes: .systemOrProject),
        PolicyDefault(.updateDomainRole, admin, "Change a domain's own role", scopes: .systemOrProject),
        PolicyDefault(.deleteDomainRole, admin, "Delete a domain's own role", scopes: .systemOrProject),

        PolicyDefault(.getImpliedRole, adminOrSystemReader, "Show that one role implies another", scopes: .systemOrProject),
        PolicyDefault(.listImpliedRoles, adminOrSystemReader, "List the roles that a role implies", scopes: .systemOrProject),
        PolicyDefault(.checkImpliedRole, adminOrSystemReader, "Tell whether one role implies another", scopes: .systemOrProject),
        PolicyDefault(.createImpliedRole, admin, "Let one role imply another", scopes: .systemOrProject),
        PolicyDefault(.deleteImpliedRole, admin, "Let one role no longer imply another", scopes: .systemOrProject),
        PolicyDefault(.listRoleInferenceRules, adminOrSystemReader, "List which roles imply which", scopes: .systemOrProject),

        PolicyDefault(
            .checkGrant,
            "\(adminOrSystemReader) or \(grant(within: "reader")) and \(grantableRole)",
            "Tell whether a user or group has a role on a project or domain", scopes: .any),
        PolicyDefault(
            .listGrants,
            "\(adminOrSystemReader) or \(grant(within: "reader"))",
            "List the roles a user or group has on a project or domain", scopes: .any),
        PolicyDefault(.createGrant, changeGrant, "Give a user or group a role on a project or domain", scopes: .any),
        PolicyDefault(.revokeGrant, changeGrant, "Take from a user or group a role on a project or domain", scopes: .any),
        PolicyDefault(
            .listSystemGrantsForUser,
            adminOrSystemReader,
            "List the roles a user has on the system", scopes: .systemOrProject),
        PolicyDefault(
            .checkSystemGrantForUser,
            adminOrSystemReader,
            "Tell whether a user has a role on the system", scopes: .systemOrProject),
        PolicyDefault(.createSystemGrantForUser, admin, "Give a user a role on the system", scopes: .systemOrProject),
        PolicyDefault(.revokeSystemGrantForUser, admin, "Take from a user a role on the system", scopes: .systemOrProject),
        PolicyDefault(
            .listSystemGrantsForGroup,
            adminOrSystemReader,
            "List the roles a group has on the system", scopes: .systemOrProject),
        PolicyDefault(
            .checkSystemGrantForGroup,
            adminOrSystemReader,
            "Tell whether a group has a role on the system", scopes: .systemOrProject),
        PolicyDefault(.createSystemGrantForGroup, admin, "Give a group a role on the system", scopes: .systemOrProject),
        PolicyDefault(.revokeSystemGrantForGroup, admin, "Take from a group a role on the system", scopes: .systemOrProject),
        PolicyDefault(.listRoleAssignments, assignmentReader, "List who has which role where", scopes: .any),
        PolicyDefault(
            .listRoleAssignmentsForTree,
            assignmentReader,
            "List who has which role in a tree of projects", scopes: .any),
    ]
}
