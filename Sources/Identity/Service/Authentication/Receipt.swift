import CloudCore

/// A half-finished authentication: the methods that have already succeeded for a user. It is sealed like a token and is
/// valid for a short time.
struct Receipt: Sendable, Hashable {
    var userID: ID<Kind.User>
    var methods: AuthMethods
    var issuedAt: Timestamp
    var expiresAt: Timestamp
}

/// Turns receipts into text, and back.
struct ReceiptSealer: Sendable {
    private let keyring: Keyring
    private static let context = "receipt"

    init(keyring: Keyring) { self.keyring = keyring }

    func text(of receipt: Receipt) throws -> String {
        // A receipt is encoded as a token without a scope and sealed for another context. So neither is accepted as the
        // other.
        let token = Token(
            userID: receipt.userID, methods: receipt.methods, scope: .unscoped, issuedAt: receipt.issuedAt,
            expiresAt: receipt.expiresAt, auditIDs: [])
        let (keyID, box) = try keyring.seal(token.bytes, .token, context: Self.context)
        return Base64URL.encode((Hex.bytes(keyID) ?? []) + box)
    }

    func receipt(of text: String) async throws -> Receipt? {
        guard let bytes = Base64URL.decode(text), bytes.count > 36 else { return nil }
        let plain = try await keyring.open(Array(bytes.dropFirst(8)), keyID: Hex.text(bytes.prefix(8)), .token, context: Self.context)
        guard let token = plain.flatMap(Token.init(bytes:)) else { return nil }
        return Receipt(userID: token.userID, methods: token.methods, issuedAt: token.issuedAt, expiresAt: token.expiresAt)
    }
}
