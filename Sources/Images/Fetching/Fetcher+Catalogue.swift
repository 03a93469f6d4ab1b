import CloudCore

extension Fetcher {
    /// Fetches from a service that the operator's own catalog names, in a user's name.
    ///
    /// The rules about hosts and addresses are for URLs that users give. This URL is the operator's, and a service of
    /// another region is often in the same network. The answer is trusted no more than that of any other server:
    /// deadlines, limits and pace are the same. Redirects are not followed, because the token is only for the service
    /// that the catalog names.
    ///
    /// - Parameters:
    ///   - token: the token of the user.
    ///   - most: the most bytes.
    /// - Throws: the errors of `fetch(_:most:_:)` for a user's URL.
    func fetch<Value: Sendable>(
        _ url: FetchURL, token: Secret, most: Int64, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Value {
        let outcome = try await ask(url, at: nil, token: token, mayTryNext: false, most: most, end: .now + limits.whole, body)
        guard case .value(let value) = outcome else { throw Self.unusable("it leads elsewhere") }
        return value
    }
}
