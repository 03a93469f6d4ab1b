import Access

extension Action {
    static let getDomain: Action = "identity:get_domain"
    static let listDomains: Action = "identity:list_domains"
    static let createDomain: Action = "identity:create_domain"
    static let updateDomain: Action = "identity:update_domain"
    static let deleteDomain: Action = "identity:delete_domain"

    static let getDomainConfig: Action = "identity:get_domain_config"
    static let getDomainConfigDefault: Action = "identity:get_domain_config_default"
    static let getSecurityComplianceDomainConfig: Action = "identity:get_security_compliance_domain_config"
    static let createDomainConfig: Action = "identity:create_domain_config"
    static let updateDomainConfig: Action = "identity:update_domain_config"
    static let deleteDomainConfig: Action = "identity:delete_domain_config"

    static let getProject: Action = "identity:get_project"
    static let listProjects: Action = "identity:list_projects"
    static let listUserProjects: Action = "identity:list_user_projects"
    static let createProject: Action = "identity:create_project"
    static let updateProject: Action = "identity:update_project"
    static let deleteProject: Action = "identity:delete_project"
    static let listProjectTags: Action = "identity:list_project_tags"
    static let getProjectTag: Action = "identity:get_project_tag"
    static let createProjectTag: Action = "identity:create_project_tag"
    static let updateProjectTags: Action = "identity:update_project_tags"
    static let deleteProjectTag: Action = "identity:delete_project_tag"
    static let deleteProjectTags: Action = "identity:delete_project_tags"
}

extension IdentityPolicy {
    /// A project that acts as a domain has no domain, and neither has a caller on a project. The rule excludes null so
    /// that the two nulls do not match.
    private static let projectDomain = "domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s"
    private static let projectReader =
        "\(adminOrSystemReader) or (role:reader and \(projectDomain)) or project_id:%(target.project.id)s"
    private static let projectManager = "\(admin) or (role:manager and \(projectDomain))"

    /// The rules for domains, their configuration, and projects.
    static let projectRules: [PolicyDefault] = [
        PolicyDefault(
            .getDomain,
            "\(adminOrSystemReader) or token.domain.id:%(target.domain.id)s or token.project.domain.id:%(target.domain.id)s",
            "Show a domain", scopes: .any),
        PolicyDefault(
            .listDomains,
            "\(adminOrSystemReader) or (role:reader and domain_id:%(target.domain.id)s)",
            "List domains", scopes: .any),
        PolicyDefault(.createDomain, admin, "Create a domain", scopes: .systemOrProject),
        PolicyDefault(.updateDomain, admin, "Change a domain", scopes: .systemOrProject),
        PolicyDefault(.deleteDomain, admin, "Delete a domain", scopes: .systemOrProject),

        PolicyDefault(
            .getDomainConfig,
            adminOrSystemReader,
            "Show the configuration of a domain, a group of its options, or one option", scopes: .systemOrProject),
        PolicyDefault(
            .getDomainConfigDefault,
            adminOrSystemReader,
            "Show what a domain is configured to when it says nothing", scopes: .systemOrProject),
        PolicyDefault(.getSecurityComplianceDomainConfig, anyone, "Show the rules that passwords of a domain obey", scopes: .any),
        PolicyDefault(.createDomainConfig, admin, "Set the configuration of a domain", scopes: .systemOrProject),
        PolicyDefault(.updateDomainConfig, admin, "Change the configuration of a domain", scopes: .systemOrProject),
        PolicyDefault(.deleteDomainConfig, admin, "Delete the configuration of a domain", scopes: .systemOrProject),

        PolicyDefault(.getProject, projectReader, "Show a project", scopes: .any),
        PolicyDefault(
            .listProjects,
            "\(adminOrSystemReader) or (role:reader and domain_id:%(target.domain_id)s)",
            "List projects", scopes: .any),
        PolicyDefault(
            .listUserProjects,
            "\(adminOrSystemReader) or (role:reader and domain_id:%(target.user.domain_id)s) or \(targetUser)",
            "List the projects a user has a role on", scopes: .any),
        PolicyDefault(.createProject, projectManager, "Create a project", scopes: .any),
        PolicyDefault(.updateProject, projectManager, "Change a project", scopes: .any),
        PolicyDefault(.deleteProject, projectManager, "Delete a project", scopes: .any),
        PolicyDefault(.listProjectTags, projectReader, "List the tags of a project", scopes: .any),
        PolicyDefault(.getProjectTag, projectReader, "Tell whether a project has a tag", scopes: .any),
        PolicyDefault(.createProjectTag, projectManager, "Add a tag to a project", scopes: .any),
        PolicyDefault(.updateProjectTags, projectManager, "Replace the tags of a project", scopes: .any),
        PolicyDefault(.deleteProjectTag, projectManager, "Take a tag from a project", scopes: .any),
        PolicyDefault(.deleteProjectTags, projectManager, "Take all tags from a project", scopes: .any),
    ]
}
