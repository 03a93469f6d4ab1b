import CloudCore
import SQL

/// The key pairs of users. They belong to a user, not to a project.
struct KeyPairService: Sendable {
    let context: ComputeContext
    private let pairs = KeyPairStore()

    func get(_ name: String, of user: String) async throws -> KeyPair {
        try await context.read { tx in
            guard let pair = try pairs.find(name, of: user, in: tx) else { throw Self.missing(name, user) }
            return pair
        }
    }

    func list(of user: String, _ page: Page) async throws -> [KeyPair] {
        try paged(try await context.read { tx in try pairs.list(of: user, in: tx) }, page) { $0.name }
    }

    /// Stores a key pair.
    ///
    /// - Parameter publicKey: the key to store; nil to generate a pair.
    /// - Returns: the pair, and the private key if it was generated. The private key is not stored.
    func create(
        _ name: String, of user: String, kind: KeyPair.Kind, publicKey: String?, by caller: Caller
    ) async throws -> (pair: KeyPair, privateKey: Secret?) {
        var text = publicKey ?? ""
        var privateKey: Secret?
        if publicKey == nil {
            switch kind {
            case .ssh: (text, privateKey) = try SSHKey.generate(context.world.random, comment: "Generated-by-Nova")
            case .x509: (text, privateKey) = try ClientCertificate.generate(for: user, context.world)
            }
        }
        let fingerprint = kind == .ssh ? try SSHKey.fingerprint(text) : try SSHKey.fingerprint(certificate: text)
        let new = KeyPair(
            userID: user, name: name, number: 0, kind: kind, publicKey: text, fingerprint: fingerprint, createdAt: context.world.now)
        let pair = try await context.write { tx in
            let limit = try QuotaStore().limit(.keyPairs, project: caller.projectID, user: nil, in: tx)
            if limit >= 0, try pairs.count(of: user, in: tx) >= limit {
                throw CloudError(.quotaExceeded, "Quota exceeded, too many key pairs.")
            }
            if try pairs.find(name, of: user, in: tx) != nil { throw CloudError.conflict("Key pair '\(name)' already exists.") }
            var pair = new
            pair.number = try NumberStore.compute.next("key_pair", in: tx)
            try pairs.insert(pair, in: tx)
            return pair
        }
        return (pair, privateKey)
    }

    func delete(_ name: String, of user: String) async throws {
        try await context.write { tx in
            guard try pairs.delete(name, of: user, in: tx) else { throw Self.missing(name, user) }
        }
    }

    static func missing(_ name: String, _ user: String) -> CloudError { .notFound("Keypair \(name) not found for user \(user)") }
}
