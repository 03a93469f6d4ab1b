import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The OAuth1 consumers: programs that may ask users for access.
struct ConsumerService: IdentityService {
    typealias R = Consumer

    let identity: IdentityContext
    private let revocations = RevocationStore()

    /// Creates a consumer.
    ///
    /// - Returns: the consumer and its secret. The secret is never shown again.
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

    /// Writes a revocation event for services that cache tokens. Foreign keys delete the consumer's OAuth1 tokens, and
    /// the rights that they gave end with them.
    func willDelete(_ consumer: Consumer, by caller: Principal, in tx: Transaction) throws {
        var event = Revocation(id: context.world.random.hexID(), at: context.world.now)
        event.consumerID = consumer.id.text
        try revocations.insert(event, in: tx)
    }

    /// Returns the attributes with colons and hyphens in their names replaced by underscores, as the reference stores
    /// them.
    private static func normalised(_ extra: JSONObject) -> JSONObject {
        JSONObject(extra.members.map { ($0.key.replacing(":", with: "_").replacing("-", with: "_"), $0.value) })
    }
}
