import CloudCore

extension Fetcher {
    /// Fetches from a service that the operator's own catalogue names, in a user's name.
    ///
    /// The rules about hosts and addresses are for what users name. This URL is the operator's, and a service of another region is
    /// often within the same network. What the server says is trusted no more than any other's: the deadlines, the limits and the
    /// pace are the same. Redirects are not followed: the token is for whom the catalogue names, and for nobody whom that one names.
    ///
    /// - Parameters:
    ///   - token: the user's.
    ///   - most: bytes.
    /// - Throws: as `fetch(_:most:_:)` of what a user names.
    func fetch<Value: Sendable>(
        _ url: FetchURL, token: Secret, most: Int64, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Value {
        let outcome = try await ask(url, at: nil, token: token, mayTryNext: false, most: most, end: .now + limits.whole, body)
        guard case .value(let value) = outcome else { throw Self.unusable("it leads elsewhere") }
        return value
    }
}
