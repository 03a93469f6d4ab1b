import CloudCore
import HTTPKit
import Resources

/// A program that asks users for access by OAuth1 (RFC 5849 calls it a client).
struct Consumer: Resource {
    var id: ID<Kind.Consumer> = ID("")
    var description: String?
    var sealedSecret: [UInt8] = []
    var keyID = ""
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Consumer>(
        "consumer", "consumers", table: "identity_consumer", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("description", \.description, .nullable(.text)),
            Field("sealed_secret", \.sealedSecret, .any, create: .unknown, update: .unknown, shown: .never),
            Field("key_id", \.keyID, .any, create: .unknown, update: .unknown, shown: .never),
        ])
}
