package import CloudCore

/// Says who holds a token, from what is true now: not what was true when it was issued.
package protocol TokenVerifier: Sendable {
    /// - Throws: `CloudError.unauthenticated` for every token that does not give access any more, whatever the reason.
    func principal(of token: String) async throws -> Principal
}
