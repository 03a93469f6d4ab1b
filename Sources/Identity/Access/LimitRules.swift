import Access

extension Action {
    static let getLimitModel: Action = "identity:get_limit_model"
    static let getRegisteredLimit: Action = "identity:get_registered_limit"
    static let listRegisteredLimits: Action = "identity:list_registered_limits"
    static let createRegisteredLimits: Action = "identity:create_registered_limits"
    static let updateRegisteredLimit: Action = "identity:update_registered_limit"
    static let deleteRegisteredLimit: Action = "identity:delete_registered_limit"
    static let getLimit: Action = "identity:get_limit"
    static let listLimits: Action = "identity:list_limits"
    static let createLimits: Action = "identity:create_limits"
    static let updateLimit: Action = "identity:update_limit"
    static let deleteLimit: Action = "identity:delete_limit"
}

extension IdentityPolicy {
    private static let limitReader =
        "\(adminOrSystemReader) or domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s"
        + " or (project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)"

    /// The rules for registered limits and limits.
    static let limitRules: [PolicyDefault] = [
        PolicyDefault(.getLimitModel, anyone, "Show how limits of a tree of projects are enforced", scopes: .any),
        PolicyDefault(.getRegisteredLimit, anyone, "Show a limit that every project has by default", scopes: .any),
        PolicyDefault(.listRegisteredLimits, anyone, "List the limits that every project has by default", scopes: .any),
        PolicyDefault(.createRegisteredLimits, admin, "Create default limits", scopes: .systemOrProject),
        PolicyDefault(.updateRegisteredLimit, admin, "Change a default limit", scopes: .systemOrProject),
        PolicyDefault(.deleteRegisteredLimit, admin, "Delete a default limit", scopes: .systemOrProject),
        PolicyDefault(.getLimit, limitReader, "Show a limit of a project or domain", scopes: .any),
        PolicyDefault(.listLimits, anyone, "List limits: one's own, unless one may see all", scopes: .any),
        PolicyDefault(.createLimits, admin, "Set limits of projects or domains", scopes: .systemOrProject),
        PolicyDefault(.updateLimit, admin, "Change a limit of a project or domain", scopes: .systemOrProject),
        PolicyDefault(.deleteLimit, admin, "Delete a limit of a project or domain", scopes: .systemOrProject),
    ]
}
