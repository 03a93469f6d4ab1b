import CloudCore

/// Half an authentication: which of a user's factors are proved already. Sealed like a token, and short-lived.
struct Receipt: Sendable, Hashable {
    var userID: ID<Kind.User>
    var methods: AuthMethods
    var issuedAt: Timestamp
    var expiresAt: Timestamp
}

/// Turns receipts into text and back.
struct ReceiptSealer: Sendable {
    private let keyring: Keyring
    private static let context = "receipt"

    init(keyring: Keyring) { self.keyring = keyring }

    func text(of receipt: Receipt) throws -> String {
        // A receipt is a token without a scope, sealed for another use: neither passes for the other.
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
