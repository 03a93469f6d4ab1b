import CloudCore
import SQL

/// Queries about credentials that need no whole row.
struct CredentialStore: Sendable {
    /// A credential's blob as it is stored.
    struct SealedBlob: Sendable {
        var id: ID<Credential>
        var box: [UInt8]
        var keyID: String
    }

    func count(of user: ID<Kind.User>, in tx: Transaction) throws -> Int {
        try tx.value("SELECT count(*) FROM identity_credential WHERE user_id = ?", user) ?? 0
    }

    /// Returns the sealed secrets that a user's passcodes are computed from.
    func passcodeSecrets(of user: ID<Kind.User>, in tx: Transaction) throws -> [SealedBlob] {
        try tx.rows("SELECT id, sealed_blob, key_id FROM identity_credential WHERE user_id = ? AND type = 'totp'", user)
            .map { SealedBlob(id: try $0["id"], box: try $0["sealed_blob"], keyID: try $0["key_id"]) }
    }
}
