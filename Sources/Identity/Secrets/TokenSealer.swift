import CloudCore

/// Turns tokens into the text that clients carry, and back. Tokens are not stored: the text is the sealed token.
struct TokenSealer: Sendable {
    private static let prefix = "nv1-"
    private let keyring: Keyring

    init(keyring: Keyring) { self.keyring = keyring }

    /// Returns `nv1-`, followed by the key's id and the sealed box in base64url.
    func text(of token: Token) throws -> String {
        let (keyID, box) = try keyring.seal(token.bytes, .token, context: "token")
        guard let key = Hex.bytes(keyID) else { throw CloudError.internalError("a key's id is not hexadecimal") }
        return Self.prefix + Base64URL.encode(key + box)
    }

    /// Returns the token of a text; nil for any text that was not made here.
    func token(of text: String) async throws -> Token? {
        guard text.hasPrefix(Self.prefix), let bytes = Base64URL.decode(text.dropFirst(Self.prefix.count)), bytes.count > 36 else {
            return nil
        }
        let plain = try await keyring.open(Array(bytes.dropFirst(8)), keyID: Hex.text(bytes.prefix(8)), .token, context: "token")
        return plain.flatMap(Token.init(bytes:))
    }
}
