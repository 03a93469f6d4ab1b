import CloudCore
import HTTPKit
import Resources

/// An OAuth1 access token. It gives a consumer some of a user's roles on one project.
struct AccessToken: Resource {
    var id: ID<AccessToken> = ID("")
    var consumerID: ID<Consumer> = ID("")
    var userID: ID<Kind.User> = ID("")
    var projectID: ID<Kind.Project> = ID("")
    var sealedSecret: [UInt8] = []
    var keyID = ""
    var roleIDs: JSON = []
    var expiresAt = Timestamp(microseconds: 0)

    static let schema = ResourceSchema<AccessToken>(
        "access_token", "access_tokens", table: "identity_access_token",
        [
            Field(own: "id", \.id),
            Field(own: "consumer_id", \.consumerID),
            Field(own: "authorizing_user_id", \.userID, column: "user_id"),
            Field(own: "project_id", \.projectID),
            Field(own: "sealed_secret", \.sealedSecret, shown: .never),
            Field(own: "key_id", \.keyID, shown: .never),
            Field(own: "role_ids", \.roleIDs, shown: .never),
            Field(own: "expires_at", \.expiresAt),
        ])

    var roles: Set<ID<Kind.Role>> { Set(roleIDs.array?.compactMap(\.string).map { ID($0) } ?? []) }
}
