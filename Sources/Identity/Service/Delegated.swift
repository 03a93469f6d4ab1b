import CloudCore

extension Principal {
    /// Whoever was handed a part must not hand on more than that, nor hand it on to last longer.
    ///
    /// - Throws: `CloudError.forbidden` for a token that was had with less than proof of who its user is. A token of a trust is
    ///   let through: handing on a trust, within its bounds, is what redelegation is.
    func requirePrimaryMethod(to act: String) throws {
        guard applicationCredentialID == nil, accessTokenID == nil, !isFromSignature else { throw CloudError.forbidden("Tokens of delegated credentials cannot \(act).") }
    }

    /// - Throws: `CloudError.forbidden` for every token that stands for part of its user, a trust's among them.
    func requireUndelegated(to act: String) throws {
        guard !isDelegated else { throw CloudError.forbidden("A token that was issued via delegation cannot \(act).") }
    }

    /// An application credential would outlive the delegation that it was made with, and say nothing of it. Tokens of
    /// application credentials have a rule of their own: restricted or not.
    ///
    /// - Throws: `CloudError.forbidden`.
    func requireManagingCredentials() throws {
        if applicationCredentialID == nil || trust != nil { try requireUndelegated(to: "manage application credentials") }
    }
}
