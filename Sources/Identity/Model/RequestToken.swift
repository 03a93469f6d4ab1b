import CloudCore
import HTTPKit
import Resources

/// What a consumer asks for access with; a user who allows it makes it worth an access token, once.
struct RequestToken: Resource {
    var id: ID<RequestToken> = ID("")
    var consumerID: ID<Consumer> = ID("")
    var projectID: ID<Kind.Project> = ID("")
    var sealedSecret: [UInt8] = []
    var keyID = ""
    /// Who allowed it; what they then hand to the consumer, and which roles. All of them are set together.
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
