package import CloudCore

/// A check of tokens. Its answer follows what is true now, not what was true when the token was issued.
package protocol TokenVerifier: Sendable {
    /// Returns the caller that a token stands for.
    ///
    /// - Throws: `CloudError.unauthenticated` for every token that no longer gives access, whatever the reason.
    func principal(of token: String) async throws -> Principal
}
