import CloudCore
import HTTPKit
import Resources

/// A program that asks users for access by OAuth1. RFC 5849 calls it a client.
struct Consumer: Resource {
    struct Input: ResourceInput {
        /// The `secret` of a body. It is never used: secrets are random, and a change that has the member is refused.
        var secret: JSON?
    }

    var id: ID<Consumer> = ID("")
    var description: String?
    var sealedSecret: [UInt8] = []
    var keyID = ""
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Consumer>(
        "consumer", "consumers", table: "identity_consumer", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("description", \.description, .nullable(.text)),
            Field(input: .optional("secret", \.secret, .json(.any))),
            Field(own: "sealed_secret", \.sealedSecret, shown: .never),
            Field(own: "key_id", \.keyID, shown: .never),
        ])
}
