import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The programs that may ask users for access.
struct ConsumerService: ResourceService {
    typealias R = Consumer

    let identity: IdentityContext
    private let revocations = RevocationStore()

    init(identity: IdentityContext) { self.identity = identity }

    var context: ServiceContext { identity.base }

    /// - Returns: the secret as well: this is the only time that anybody hears of it.
    func create(_ body: JSONObject, by caller: Principal) async throws -> (Consumer, secret: Secret) {
        var (consumer, given) = try Consumer.schema.new(from: body)
        consumer.id = newID()
        consumer.extra = Self.normalised(consumer.extra)
        consumer.extra["secret"] = nil
        let secret = Secret(Hex.text(context.world.random.bytes(16)))
        (consumer.keyID, consumer.sealedSecret) = try identity.keyring.seal(
            Array(secret.reveal().utf8), .secret, context: "consumer/\(consumer.id)")
        return (try await create(consumer, given, by: caller), secret)
    }

    func willUpdate(_ consumer: inout Consumer, from old: Consumer, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        guard !given.isEmpty else { throw Shape.wrong("consumer", "it must have at least one property") }
        guard given["secret"] == nil else { throw Shape.wrong("consumer/secret", "it cannot be changed") }
        consumer.extra = Self.normalised(consumer.extra)
    }

    /// Its tokens go with it, by foreign keys, and what they gave; the event says so to whoever keeps tokens elsewhere.
    func willDelete(_ consumer: Consumer, by caller: Principal, in tx: Transaction) throws {
        var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
        event.consumerID = consumer.id.text
        try revocations.insert(event, in: tx)
    }

    /// The names of what callers store: the reference writes colons and hyphens as underscores.
    private static func normalised(_ extra: JSONObject) -> JSONObject {
        JSONObject(extra.members.map { ($0.key.replacing(":", with: "_").replacing("-", with: "_"), $0.value) })
    }
}
