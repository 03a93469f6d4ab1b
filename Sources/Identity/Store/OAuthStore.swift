import CloudCore
import Resources
import SQL

/// The OAuth1 consumers, their tokens, and the nonces that they have used.
struct OAuthStore: Sendable {
    let consumers = ResourceStore<Consumer>()
    let requestTokens = ResourceStore<RequestToken>()
    let accessTokens = ResourceStore<AccessToken>()

    /// Records that a consumer used a nonce. Returns false if it was already recorded.
    func remember(_ request: OAuthRequest, in tx: Transaction) throws -> Bool {
        try tx.execute(
            "INSERT INTO identity_oauth_nonce (consumer_id, nonce, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            request.consumerID, request.nonce, request.timestamp) > 0
    }

    func requestTokens(of consumer: ID<Consumer>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM identity_request_token WHERE consumer_id = ?", consumer) ?? 0
    }

    func accessTokens(of user: ID<Kind.User>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM identity_access_token WHERE user_id = ?", user) ?? 0
    }

    /// Deletes tokens that have expired, and nonces whose timestamp is too old to be accepted.
    func prune(at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("DELETE FROM identity_oauth_nonce WHERE at < ?", now - OAuthRequest.tolerance)
        try tx.execute("DELETE FROM identity_request_token WHERE expires_at < ?", now)
        try tx.execute("DELETE FROM identity_access_token WHERE expires_at < ?", now)
    }
}
