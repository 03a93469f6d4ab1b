import Access

extension Action {
    static let getAuthCatalog: Action = "identity:get_auth_catalog"
    static let getAuthProjects: Action = "identity:get_auth_projects"
    static let getAuthDomains: Action = "identity:get_auth_domains"
    static let getAuthSystem: Action = "identity:get_auth_system"

    static let checkToken: Action = "identity:check_token"
    static let validateToken: Action = "identity:validate_token"
    static let revokeToken: Action = "identity:revoke_token"
    static let listRevokeEvents: Action = "identity:list_revoke_events"
    static let ec2tokensValidate: Action = "identity:ec2tokens_validate"
    static let s3tokensValidate: Action = "identity:s3tokens_validate"
}

extension IdentityPolicy {
    /// The rules for tokens, the scopes that they give, revocation, and signed requests.
    static let tokenRules: [PolicyDefault] = [
        PolicyDefault(.getAuthCatalog, anyone, "Show the catalog of one's own token"),
        PolicyDefault(.getAuthProjects, anyone, "List the projects one can get a token for"),
        PolicyDefault(.getAuthDomains, anyone, "List the domains one can get a token for"),
        PolicyDefault(.getAuthSystem, anyone, "List the systems one can get a token for"),

        PolicyDefault(.checkToken, "\(adminOrSystemReader) or rule:token_subject", "Tell whether a token is valid", scopes: .any),
        PolicyDefault(
            .validateToken,
            "\(adminOrSystemReader) or rule:service_role or rule:token_subject",
            "Show what a token says", scopes: .any),
        PolicyDefault(.revokeToken, "rule:admin_required or rule:token_subject", "Revoke a token", scopes: .any),
        PolicyDefault(.listRevokeEvents, serviceOrAdmin, "List what was revoked", scopes: .systemOrProject),
        PolicyDefault(
            .ec2tokensValidate,
            serviceOrAdmin,
            "Make a token of a request signed with an EC2 credential", scopes: .any),
        PolicyDefault(.s3tokensValidate, serviceOrAdmin, "Make a token of a request signed for S3", scopes: .any),
    ]
}
