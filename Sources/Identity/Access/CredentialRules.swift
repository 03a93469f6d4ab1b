import Access

extension Action {
    static let getCredential: Action = "identity:get_credential"
    static let listCredentials: Action = "identity:list_credentials"
    static let createCredential: Action = "identity:create_credential"
    static let updateCredential: Action = "identity:update_credential"
    static let deleteCredential: Action = "identity:delete_credential"
    static let ec2GetCredential: Action = "identity:ec2_get_credential"
    static let ec2ListCredentials: Action = "identity:ec2_list_credentials"
    static let ec2CreateCredential: Action = "identity:ec2_create_credential"
    static let ec2DeleteCredential: Action = "identity:ec2_delete_credential"

    static let getApplicationCredential: Action = "identity:get_application_credential"
    static let listApplicationCredentials: Action = "identity:list_application_credentials"
    static let createApplicationCredential: Action = "identity:create_application_credential"
    static let deleteApplicationCredential: Action = "identity:delete_application_credential"
    static let getAccessRule: Action = "identity:get_access_rule"
    static let listAccessRules: Action = "identity:list_access_rules"
    static let deleteAccessRule: Action = "identity:delete_access_rule"

    static let createTrust: Action = "identity:create_trust"
    static let getTrust: Action = "identity:get_trust"
    static let listTrusts: Action = "identity:list_trusts"
    static let listTrustsForTrustor: Action = "identity:list_trusts_for_trustor"
    static let listTrustsForTrustee: Action = "identity:list_trusts_for_trustee"
    static let listRolesForTrust: Action = "identity:list_roles_for_trust"
    static let getRoleForTrust: Action = "identity:get_role_for_trust"
    static let deleteTrust: Action = "identity:delete_trust"

    static let getConsumer: Action = "identity:get_consumer"
    static let listConsumers: Action = "identity:list_consumers"
    static let createConsumer: Action = "identity:create_consumer"
    static let updateConsumer: Action = "identity:update_consumer"
    static let deleteConsumer: Action = "identity:delete_consumer"
    static let authorizeRequestToken: Action = "identity:authorize_request_token"
    static let getAccessToken: Action = "identity:get_access_token"
    static let listAccessTokens: Action = "identity:list_access_tokens"
    static let getAccessTokenRole: Action = "identity:get_access_token_role"
    static let listAccessTokenRoles: Action = "identity:list_access_token_roles"
    static let deleteAccessToken: Action = "identity:delete_access_token"
}

extension IdentityPolicy {
    private static let credentialOwner = "user_id:%(target.credential.user_id)s"
    private static let credentialReader = "\(adminOrSystemReader) or \(credentialOwner)"
    private static let credentialWriter = "\(admin) or \(credentialOwner)"
    private static let ec2Writer = "\(admin) or (role:member and \(credentialOwner))"
    private static let trustor = "user_id:%(target.trust.trustor_user_id)s"
    private static let trustee = "user_id:%(target.trust.trustee_user_id)s"
    private static let trustReader = "\(adminOrSystemReader) or \(trustor) or \(trustee)"
    /// No `admin_required`: the paths that an application credential may call are its owner's private matter.
    private static let accessRuleReader = "\(systemReader) or \(targetUser)"

    /// The rules for credentials, application credentials, trusts and OAuth1.
    static let credentialRules: [PolicyDefault] = [
        PolicyDefault(.getCredential, credentialReader, "Show a credential", scopes: .any),
        PolicyDefault(.listCredentials, credentialReader, "List credentials", scopes: .any),
        PolicyDefault(.createCredential, credentialWriter, "Create a credential", scopes: .any),
        PolicyDefault(.updateCredential, credentialWriter, "Change a credential", scopes: .any),
        PolicyDefault(.deleteCredential, credentialWriter, "Delete a credential", scopes: .any),
        PolicyDefault(.ec2GetCredential, credentialReader, "Show an EC2 credential", scopes: .systemOrProject),
        PolicyDefault(
            .ec2ListCredentials,
            "\(adminOrSystemReader) or rule:owner",
            "List EC2 credentials of a user", scopes: .systemOrProject),
        PolicyDefault(.ec2CreateCredential, ec2Writer, "Create an EC2 credential", scopes: .systemOrProject),
        PolicyDefault(.ec2DeleteCredential, ec2Writer, "Delete an EC2 credential", scopes: .systemOrProject),

        PolicyDefault(
            .getApplicationCredential,
            "\(adminOrSystemReader) or rule:owner",
            "Show an application credential", scopes: .systemOrProject),
        PolicyDefault(
            .listApplicationCredentials,
            "\(adminOrSystemReader) or rule:owner",
            "List application credentials of a user", scopes: .systemOrProject),
        PolicyDefault(
            .createApplicationCredential,
            owner,
            "Create an application credential, for oneself alone", scopes: .project),
        PolicyDefault(
            .deleteApplicationCredential,
            "rule:admin_or_owner",
            "Delete an application credential", scopes: .systemOrProject),
        PolicyDefault(.getAccessRule, accessRuleReader, "Show what an application credential may call", scopes: .systemOrProject),
        PolicyDefault(.listAccessRules, accessRuleReader, "List access rules of a user", scopes: .systemOrProject),
        PolicyDefault(
            .deleteAccessRule,
            "(role:admin and system_scope:all) or \(targetUser)",
            "Delete an access rule", scopes: .systemOrProject),

        PolicyDefault(.createTrust, trustor, "Trust another user, for oneself alone", scopes: .project),
        PolicyDefault(.getTrust, trustReader, "Show a trust", scopes: .systemOrProject),
        PolicyDefault(.listTrusts, adminOrSystemReader, "List all trusts", scopes: .systemOrProject),
        PolicyDefault(
            .listTrustsForTrustor,
            "\(adminOrSystemReader) or \(trustor)",
            "List trusts a user has given", scopes: .systemOrProject),
        PolicyDefault(
            .listTrustsForTrustee,
            "\(adminOrSystemReader) or \(trustee)",
            "List trusts a user was given", scopes: .systemOrProject),
        PolicyDefault(.listRolesForTrust, trustReader, "List the roles that a trust hands on", scopes: .systemOrProject),
        PolicyDefault(.getRoleForTrust, trustReader, "Tell whether a trust hands on a role", scopes: .systemOrProject),
        PolicyDefault(.deleteTrust, "\(admin) or \(trustor)", "End a trust", scopes: .systemOrProject),

        PolicyDefault(.getConsumer, adminOrSystemReader, "Show an OAuth1 consumer", scopes: .systemOrProject),
        PolicyDefault(.listConsumers, adminOrSystemReader, "List OAuth1 consumers", scopes: .systemOrProject),
        PolicyDefault(.createConsumer, admin, "Create an OAuth1 consumer", scopes: .systemOrProject),
        PolicyDefault(.updateConsumer, admin, "Change an OAuth1 consumer", scopes: .systemOrProject),
        PolicyDefault(.deleteConsumer, admin, "Delete an OAuth1 consumer", scopes: .systemOrProject),
        PolicyDefault(.authorizeRequestToken, admin, "Grant what an OAuth1 consumer's request token asks for", scopes: .project),
        PolicyDefault(.getAccessToken, admin, "Show an OAuth1 access token of a user", scopes: .project),
        PolicyDefault(.listAccessTokens, admin, "List OAuth1 access tokens of a user", scopes: .project),
        PolicyDefault(.getAccessTokenRole, admin, "Show a role that an OAuth1 access token hands on", scopes: .project),
        PolicyDefault(.listAccessTokenRoles, admin, "List the roles that an OAuth1 access token hands on", scopes: .project),
        PolicyDefault(.deleteAccessToken, admin, "Delete an OAuth1 access token", scopes: .project),
    ]
}
