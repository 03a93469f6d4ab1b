import CloudCore

extension Principal {
    /// Throws for tokens of most delegations. A delegation must not hand on more rights than it has, or for longer.
    ///
    /// - Throws: `CloudError.forbidden` for a token of an application credential, of an OAuth1 access token or of a
    /// signature. A trust's token is allowed, because redelegation hands on a trust within its bounds.
    func requirePrimaryMethod(to act: String) throws {
        guard applicationCredentialID == nil, accessTokenID == nil, !isFromSignature else { throw CloudError.forbidden("Tokens of delegated credentials cannot \(act).") }
    }

    /// Throws `CloudError.forbidden` for a token that has only a part of its user's rights, including a trust's token.
    func requireUndelegated(to act: String) throws {
        guard !isDelegated else { throw CloudError.forbidden("A token that was issued via delegation cannot \(act).") }
    }

    /// Throws for delegated tokens. An application credential would outlive the delegation that it was created with,
    /// and show no trace of it. Tokens of application credentials are allowed here: whether they are unrestricted is
    /// checked elsewhere.
    ///
    /// - Throws: `CloudError.forbidden` for any other delegated token.
    func requireManagingCredentials() throws {
        if applicationCredentialID == nil || trust != nil { try requireUndelegated(to: "manage application credentials") }
    }
}
