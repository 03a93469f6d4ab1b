import CloudCore
import HTTPKit
import Resources

/// Some of a user's roles on one project, in the hands of a consumer.
struct AccessToken: Resource {
    var id: ID<AccessToken> = ID("")
    var consumerID: ID<Kind.Consumer> = ID("")
    var userID: ID<Kind.User> = ID("")
    var projectID: ID<Kind.Project> = ID("")
    var sealedSecret: [UInt8] = []
    var keyID = ""
    var roleIDs: JSON = []
    var expiresAt = Timestamp(microseconds: 0)

    static let schema = ResourceSchema<AccessToken>(
        "access_token", "access_tokens", table: "identity_access_token",
        [
            Field("id", \.id, .any, create: .unknown, update: .unknown),
            Field("consumer_id", \.consumerID, .any, create: .unknown, update: .unknown),
            Field("authorizing_user_id", \.userID, .any, create: .unknown, update: .unknown, column: "user_id"),
            Field("project_id", \.projectID, .any, create: .unknown, update: .unknown),
            Field("sealed_secret", \.sealedSecret, .any, create: .unknown, update: .unknown, shown: .never),
            Field("key_id", \.keyID, .any, create: .unknown, update: .unknown, shown: .never),
            Field("role_ids", \.roleIDs, .any, create: .unknown, update: .unknown, shown: .never),
            Field("expires_at", \.expiresAt, .any, create: .unknown, update: .unknown),
        ])

    var roles: Set<ID<Kind.Role>> { Set(roleIDs.array?.compactMap(\.string).map { ID($0) } ?? []) }
}
