import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The programs that may ask users for access.
struct ConsumerService: IdentityService {
    typealias R = Consumer

    let identity: IdentityContext
    private let revocations = RevocationStore()

    /// - Returns: the secret as well: this is the only time that anybody hears of it.
    func issue(_ body: JSONObject, by caller: Principal) async throws -> (made: Shown<Consumer>, secret: Secret) {
        let bodies = try self.bodies(of: body).given
        let secret = Secret(Hex.text(context.world.random.bytes(16)))
        let consumers = try bodies.map { given in
            var consumer = try draft(given, by: caller)
            consumer.extra = Self.normalised(consumer.extra)
            (consumer.keyID, consumer.sealedSecret) = try identity.keyring.seal(
                Array(secret.reveal().utf8), .secret, context: "consumer/\(consumer.id)")
            return consumer
        }
        return (try await create(consumers, bodies, by: caller), secret)
    }

    func willUpdate(
        _ consumer: inout Consumer, from old: Consumer, _ given: Given<Consumer>, by caller: Principal, in tx: Transaction
    ) throws {
        guard given.secret == nil else { throw Shape.wrong("consumer/secret", "it cannot be changed") }
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
