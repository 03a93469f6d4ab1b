import CloudCore
import HTTPKit
import Resources

/// An OAuth1 request token. A consumer gets it first. After a user has allowed it, the consumer can exchange it for an
/// access token, once.
struct RequestToken: Resource {
    var id: ID<RequestToken> = ID("")
    var consumerID: ID<Consumer> = ID("")
    var projectID: ID<Kind.Project> = ID("")
    var sealedSecret: [UInt8] = []
    var keyID = ""
    /// The user who allowed the request. The verifier that the user passes to the consumer, and the roles, are set with
    /// it.
    var userID: ID<Kind.User>?
    var verifier: String?
    var roleIDs: JSON = []
    var expiresAt = Timestamp(microseconds: 0)

    static let schema = ResourceSchema<RequestToken>(
        "request_token", "request_tokens", table: "identity_request_token",
        [
            Field(own: "id", \.id),
            Field(own: "consumer_id", \.consumerID),
            Field(own: "project_id", \.projectID),
            Field(own: "sealed_secret", \.sealedSecret, shown: .never),
            Field(own: "key_id", \.keyID, shown: .never),
            Field(own: "user_id", \.userID),
            Field(own: "verifier", \.verifier, shown: .never),
            Field(own: "role_ids", \.roleIDs),
            Field(own: "expires_at", \.expiresAt),
        ])
}
