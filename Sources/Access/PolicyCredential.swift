import CloudCore

/// An attribute of the caller that a rule can test, by its name in oslo.policy.
package enum PolicyCredential: String, Sendable, CaseIterable {
    case userID = "user_id"
    case userDomainID = "user_domain_id"
    case projectID = "project_id"
    case projectDomainID = "project_domain_id"
    case domainID = "domain_id"
    case systemScope = "system_scope"
    case roles
    case trustID = "trust_id"
    case trustorID = "trustor_id"
    case trusteeID = "trustee_id"
    case isAdmin = "is_admin"
    case isAdminProject = "is_admin_project"
    case serviceRoles = "service_roles"
    case serviceUserID = "service_user_id"
    case serviceUserDomainID = "service_user_domain_id"
    case serviceProjectID = "service_project_id"
    case serviceProjectDomainID = "service_project_domain_id"
    case tokenUserID = "token.user.id"
    case tokenUserDomainID = "token.user.domain.id"
    case tokenProjectID = "token.project.id"
    case tokenProjectDomainID = "token.project.domain.id"
    case tokenDomainID = "token.domain.id"
    case tokenSystem = "token.system.all"

    /// Returns whether the caller's attribute is `wanted`.
    ///
    /// As in oslo.policy, there are two kinds of a missing attribute. The plain names always exist, and equal `None` if
    /// the token has no such attribute. The names that begin with `token.` exist only if the token has the attribute,
    /// and otherwise equal nothing.
    func equals(_ wanted: String, for principal: Principal) -> Bool {
        switch self {
        case .userID, .tokenUserID: principal.userID.text == wanted
        case .userDomainID, .tokenUserDomainID: principal.userDomain.id == wanted
        case .projectID: orNone(principal.projectID?.text) == wanted
        case .projectDomainID: orNone(principal.projectDomainID) == wanted
        case .domainID: orNone(principal.domainID?.text) == wanted
        case .systemScope: orNone(principal.isSystemScoped ? "all" : nil) == wanted
        case .roles: principal.roles.contains { $0.name == wanted }
        case .trustID: orNone(principal.trust?.id.text) == wanted
        case .trustorID: orNone(principal.trust?.trustorID.text) == wanted
        case .trusteeID: orNone(principal.trust?.trusteeID.text) == wanted
        // Nobody is above the rules here: there is no shared admin token, and no second token of a service beside the
        // user's.
        case .isAdmin, .serviceRoles: false
        case .serviceUserID, .serviceUserDomainID, .serviceProjectID, .serviceProjectDomainID: wanted == PolicyRule.null
        // Keystone rule: if no admin project is declared, every token that is not domain-scoped counts as one of the
        // admin project.
        case .isAdminProject: (principal.domainID == nil ? "True" : "False") == wanted
        case .tokenProjectID: principal.projectID?.text == wanted
        case .tokenProjectDomainID: principal.projectDomainID == wanted
        case .tokenDomainID: principal.domainID?.text == wanted
        case .tokenSystem: principal.isSystemScoped && wanted == "True"
        }
    }

    private func orNone(_ text: String?) -> String { text ?? PolicyRule.null }
}

extension Principal {
    fileprivate var projectDomainID: String? {
        if case .project(_, _, let domain) = scope { domain.id } else { nil }
    }
}
