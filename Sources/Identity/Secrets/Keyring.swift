import CloudCore
import Crypto
import Foundation
import SQL
import Synchronization

/// The keys that tokens and stored secrets are sealed with. They lie in the database, sealed by the master key, so that
/// every control process has the same ones; the master key itself never gets there.
///
/// A key is used until a newer one takes over, and opens what it sealed for as long as that may be shown: rotating keys
/// logs nobody out.
final class Keyring: Sendable {
    enum Purpose: String, Sendable {
        /// Seals tokens.
        case token
        /// Seals what has to be read again: credentials' blobs, OAuth secrets.
        case secret
    }

    private struct Key: Sendable {
        let id: String
        let purpose: Purpose
        let key: SymmetricKey
        let usedFrom: Timestamp
    }

    private struct State {
        var keys: [String: Key] = [:]
        var current: [Purpose: Key] = [:]
        /// Of `topic`, before the keys were read.
        var revision: Revision?
    }

    private let database: Database
    private let world: World
    private let master: SymmetricKey
    private let store = KeyStore()
    private let state = Mutex(State())

    /// Marked with every change of the keys. An unknown key id makes them be read again only when another process has
    /// changed them since: a flood of made-up tokens must not become a flood of queries.
    private static let topic = Topic("identity-keys")

    init(database: Database, world: World, master: SymmetricKey) {
        self.database = database
        self.world = world
        self.master = master
    }

    /// Reads the keys, and makes the first of each purpose.
    func prepare() async throws {
        try await load()
        for purpose in [Purpose.token, .secret] where usedSince(purpose) == nil { try await rotate(purpose) { $0 != nil } }
    }

    /// Makes a new key the one that is used.
    ///
    /// - Parameter isDone: looks at since when the present key is used, nil where there is none, and says whether there is
    ///   nothing to do: another process may have been first, and its key is taken then.
    func rotate(_ purpose: Purpose, unless isDone: @escaping @Sendable (Timestamp?) -> Bool = { _ in false }) async throws {
        let id = Hex.text(world.random.bytes(8))
        let now = world.now
        let sealed = try AES.GCM.seal(world.random.bytes(32), using: master, authenticating: Self.label(id, purpose)).combined
        guard let sealed else { throw CloudError.internalError("a key could not be sealed") }
        try await database.write { [store] tx in
            try tx.lock("identity_key")
            let present = try store.newest(of: purpose.rawValue, in: tx)
            if isDone(present) { return }
            tx.changed(Self.topic)
            // The newest key is the one that is used, also where another process' clock is ahead of this one's.
            let usedFrom = max(now, (present ?? now) + .microseconds(1))
            try store.insert(.init(id: id, purpose: purpose.rawValue, sealed: Array(sealed), usedFrom: usedFrom), at: now, in: tx)
        }
        try await load()
    }

    /// Removes token keys that nothing valid can be sealed with any more.
    /// - Parameter keeping: how long a token may be shown after it was issued.
    func prune(keeping: Duration) async throws {
        let horizon = world.now - keeping
        try await database.write { [store] tx in
            if try store.prune(before: horizon, in: tx) { tx.changed(Self.topic) }
        }
        try await load()
    }

    /// When the present key of a purpose was taken into use.
    func usedSince(_ purpose: Purpose) -> Timestamp? { state.withLock { $0.current[purpose]?.usedFrom } }

    // MARK: Sealing

    /// Seals bytes for a context: the id of the key and the box. What was sealed for one context opens in no other.
    func seal(_ plain: [UInt8], _ purpose: Purpose, context: String) throws -> (keyID: String, box: [UInt8]) {
        guard let key = state.withLock({ $0.current[purpose] }) else { throw CloudError.internalError("no \(purpose) key") }
        let nonce = try AES.GCM.Nonce(data: world.random.bytes(12))
        let box = try AES.GCM.seal(plain, using: key.key, nonce: nonce, authenticating: Array("\(key.id)/\(context)".utf8))
        guard let combined = box.combined else { throw CloudError.internalError("a box without its parts") }
        return (key.id, Array(combined))
    }

    /// Opens a box; nil when it was not sealed here, for this context, by this key.
    func open(_ box: [UInt8], keyID: String, _ purpose: Purpose, context: String) async throws -> [UInt8]? {
        guard let key = try await key(keyID), key.purpose == purpose, let sealed = try? AES.GCM.SealedBox(combined: box) else {
            return nil
        }
        return (try? AES.GCM.open(sealed, using: key.key, authenticating: Array("\(keyID)/\(context)".utf8))).map { Array($0) }
    }

    /// The same with keys that are known already: for use inside a transaction.
    func openKnown(_ box: [UInt8], keyID: String, _ purpose: Purpose, context: String) -> [UInt8]? {
        guard let key = state.withLock({ $0.keys[keyID] }), key.purpose == purpose,
            let sealed = try? AES.GCM.SealedBox(combined: box)
        else { return nil }
        return (try? AES.GCM.open(sealed, using: key.key, authenticating: Array("\(keyID)/\(context)".utf8))).map { Array($0) }
    }

    // MARK: Keys

    private func key(_ id: String) async throws -> Key? {
        let (found, revision) = state.withLock { ($0.keys[id], $0.revision) }
        if let found { return found }
        guard try await database.revision(of: Self.topic) != revision else { return nil }
        try await load()
        return state.withLock { $0.keys[id] }
    }

    private func load() async throws {
        let revision = try await database.revision(of: Self.topic)
        let rows = try await database.read { [store] tx in try store.all(in: tx) }
        var keys: [String: Key] = [:]
        var current: [Purpose: Key] = [:]
        for row in rows {
            guard let purpose = Purpose(rawValue: row.purpose) else { continue }
            guard let box = try? AES.GCM.SealedBox(combined: row.sealed),
                let bytes = try? AES.GCM.open(box, using: master, authenticating: Self.label(row.id, purpose))
            else {
                throw CloudError.internalError(
                    "key \(row.id) cannot be opened: the master key (secret.key) is not the one that this database was made with")
            }
            let key = Key(id: row.id, purpose: purpose, key: SymmetricKey(data: bytes), usedFrom: row.usedFrom)
            keys[row.id] = key
            current[purpose] = key
        }
        let read = State(keys: keys, current: current, revision: revision)
        state.withLock { $0 = read }
    }

    private static func label(_ id: String, _ purpose: Purpose) -> [UInt8] { Array("novella/\(purpose.rawValue)/\(id)".utf8) }
}
