import CloudCore
import HTTPKit
import Resources

/// What a consumer asks for access with; a user who allows it makes it worth an access token, once.
struct RequestToken: Resource {
    var id: ID<RequestToken> = ID("")
    var consumerID: ID<Kind.Consumer> = ID("")
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
            Field("id", \.id, .any, create: .unknown, update: .unknown),
            Field("consumer_id", \.consumerID, .any, create: .unknown, update: .unknown),
            Field("project_id", \.projectID, .any, create: .unknown, update: .unknown),
            Field("sealed_secret", \.sealedSecret, .any, create: .unknown, update: .unknown, shown: .never),
            Field("key_id", \.keyID, .any, create: .unknown, update: .unknown, shown: .never),
            Field("user_id", \.userID, .any, create: .unknown, update: .unknown),
            Field("verifier", \.verifier, .any, create: .unknown, update: .unknown, shown: .never),
            Field("role_ids", \.roleIDs, .any, create: .unknown, update: .unknown),
            Field("expires_at", \.expiresAt, .any, create: .unknown, update: .unknown),
        ])
}
