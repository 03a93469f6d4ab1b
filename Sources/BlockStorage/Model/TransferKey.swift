import CloudCore
import Crypto

/// The key of a transfer, which its maker hands on by other means. The database has only its salted hash.
struct TransferKey: Sendable {
    /// Sixteen hexadecimal digits, as the reference's keys have.
    let text: String
    let lock: Lock

    init(_ random: any Randomness) {
        text = Hex.text(random.bytes(8))
        lock = Lock(salt: Hex.text(random.bytes(8)), key: text)
    }

    /// The salted hash of a key.
    struct Lock: Sendable {
        let salt: String
        /// The HMAC of the key by the salt, as hexadecimal digits.
        let hash: String

        /// Makes a lock of its stored form.
        init(salt: String, hash: String) {
            self.salt = salt
            self.hash = hash
        }

        fileprivate init(salt: String, key: String) {
            let code = HMAC<SHA256>.authenticationCode(
                for: Array(key.utf8), using: SymmetricKey(data: Array(salt.utf8)))
            self.init(salt: salt, hash: Hex.text(code))
        }

        /// Returns whether a key is the right one. The time that this takes does not depend on the key.
        func isOpened(by key: String) -> Bool {
            guard let code = Hex.bytes(hash) else { return false }
            return HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Array(key.utf8), using: SymmetricKey(data: Array(salt.utf8)))
        }
    }
}
