import Access

extension Action {
    static let getUser: Action = "identity:get_user"
    static let listUsers: Action = "identity:list_users"
    static let listProjectsForUser: Action = "identity:list_projects_for_user"
    static let listDomainsForUser: Action = "identity:list_domains_for_user"
    static let createUser: Action = "identity:create_user"
    static let updateUser: Action = "identity:update_user"
    static let deleteUser: Action = "identity:delete_user"
    static let revokeTokensForUser: Action = "identity:revoke_tokens_for_user"

    static let getGroup: Action = "identity:get_group"
    static let listGroups: Action = "identity:list_groups"
    static let listGroupsForUser: Action = "identity:list_groups_for_user"
    static let createGroup: Action = "identity:create_group"
    static let updateGroup: Action = "identity:update_group"
    static let deleteGroup: Action = "identity:delete_group"
    static let listUsersInGroup: Action = "identity:list_users_in_group"
    static let checkUserInGroup: Action = "identity:check_user_in_group"
    static let addUserToGroup: Action = "identity:add_user_to_group"
    static let removeUserFromGroup: Action = "identity:remove_user_from_group"
}

extension IdentityPolicy {
    private static let userManager = "\(admin) or (role:manager and token.domain.id:%(target.user.domain_id)s)"
    private static let groupReader = "\(adminOrSystemReader) or (role:reader and domain_id:%(target.group.domain_id)s)"
    private static let groupManager = "\(admin) or (role:manager and domain_id:%(target.group.domain_id)s)"
    /// A member of a group gets the group's roles, so both the user and the group must be of the manager's own domain.
    private static let membership = "domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s"
    private static let membershipManager = "\(admin) or (role:manager and \(membership))"

    /// The rules for users and groups.
    static let userRules: [PolicyDefault] = [
        PolicyDefault(
            .getUser,
            "\(adminOrSystemReader) or (role:reader and token.domain.id:%(target.user.domain_id)s) or \(targetUser)",
            "Show a user", scopes: .any),
        PolicyDefault(
            .listUsers,
            "\(adminOrSystemReader) or (role:reader and domain_id:%(target.domain_id)s)",
            "List users", scopes: .any),
        PolicyDefault(.listProjectsForUser, anyone, "List the projects one has a role on"),
        PolicyDefault(.listDomainsForUser, anyone, "List the domains one has a role on"),
        PolicyDefault(.createUser, userManager, "Create a user", scopes: .any),
        PolicyDefault(.updateUser, userManager, "Change a user, and set a password without knowing the old one", scopes: .any),
        PolicyDefault(.deleteUser, userManager, "Delete a user", scopes: .any),
        PolicyDefault(.revokeTokensForUser, "rule:admin_or_owner", "Revoke all tokens of a user, as of oneself", scopes: .any),

        PolicyDefault(.getGroup, groupReader, "Show a group", scopes: .any),
        PolicyDefault(.listGroups, groupReader, "List groups", scopes: .any),
        PolicyDefault(
            .listGroupsForUser,
            "\(adminOrSystemReader) or (role:reader and domain_id:%(target.user.domain_id)s) or \(owner)",
            "List the groups a user is in", scopes: .any),
        PolicyDefault(.createGroup, groupManager, "Create a group", scopes: .any),
        PolicyDefault(.updateGroup, groupManager, "Change a group", scopes: .any),
        PolicyDefault(.deleteGroup, groupManager, "Delete a group", scopes: .any),
        PolicyDefault(.listUsersInGroup, groupReader, "List the users in a group", scopes: .any),
        PolicyDefault(
            .checkUserInGroup,
            "\(adminOrSystemReader) or (role:reader and \(membership))",
            "Tell whether a user is in a group", scopes: .any),
        PolicyDefault(.addUserToGroup, membershipManager, "Put a user into a group", scopes: .any),
        PolicyDefault(.removeUserFromGroup, membershipManager, "Take a user out of a group", scopes: .any),
    ]
}
