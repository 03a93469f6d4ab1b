import CloudCore
import Crypto
import Foundation
import SQL
import Synchronization

/// The keys that seal tokens and stored secrets. They are in the database, sealed by the master key, so all control
/// processes have the same ones. The master key itself is never in the database.
///
/// A key is used until a newer one replaces it. It still opens what it sealed for as long as that may be shown, so
/// rotating keys logs nobody out.
final class Keyring: Sendable {
    enum Purpose: String, Sendable {
        /// Seals tokens.
        case token
        /// Seals secrets that must be read again: the blobs of credentials, OAuth1 secrets.
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
        /// The revision of `topic` just before the keys were read.
        var revision: Revision?
    }

    private let database: Database
    private let world: World
    private let master: SymmetricKey
    private let store = KeyStore()
    private let state = Mutex(State())

    /// The topic that each change of the keys marks. For an unknown key id, the keys are read again only if another
    /// process has changed them, so a flood of forged tokens does not become a flood of queries.
    private static let topic = Topic("identity-keys")

    init(database: Database, world: World, master: SymmetricKey) {
        self.database = database
        self.world = world
        self.master = master
    }

    /// Loads the keys, and creates the first key of each purpose.
    func prepare() async throws {
        try await load()
        for purpose in [Purpose.token, .secret] where usedSince(purpose) == nil { try await rotate(purpose) { $0 != nil } }
    }

    /// Creates a key and takes it into use.
    ///
    /// - Parameter isDone: returns true if no new key is needed, because another process has just made one. Its
    /// argument is the moment since when the present key is used, or nil if there is none.
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
            // The newest key is the one in use, even if the clock of the process that made the previous one is ahead.
            let usedFrom = max(now, (present ?? now) + .microseconds(1))
            try store.insert(.init(id: id, purpose: purpose.rawValue, sealed: Array(sealed), usedFrom: usedFrom), at: now, in: tx)
        }
        try await load()
    }

    /// Removes the token keys that sealed no token which may still be shown.
    ///
    /// - Parameter keeping: the time after its issue for which a token may be shown.
    func prune(keeping: Duration) async throws {
        let horizon = world.now - keeping
        try await database.write { [store] tx in
            if try store.prune(before: horizon, in: tx) { tx.changed(Self.topic) }
        }
        try await load()
    }

    /// Returns the moment when the present key of a purpose was taken into use.
    func usedSince(_ purpose: Purpose) -> Timestamp? { state.withLock { $0.current[purpose]?.usedFrom } }

    // MARK: Sealing

    /// Seals bytes for a context. Returns the id of the key and the box, which opens in no other context.
    func seal(_ plain: [UInt8], _ purpose: Purpose, context: String) throws -> (keyID: String, box: [UInt8]) {
        guard let key = state.withLock({ $0.current[purpose] }) else { throw CloudError.internalError("no \(purpose) key") }
        let nonce = try AES.GCM.Nonce(data: world.random.bytes(12))
        let box = try AES.GCM.seal(plain, using: key.key, nonce: nonce, authenticating: Array("\(key.id)/\(context)".utf8))
        guard let combined = box.combined else { throw CloudError.internalError("a box without its parts") }
        return (key.id, Array(combined))
    }

    /// Opens a box. Returns nil if it was not sealed here, for this context, by this key.
    func open(_ box: [UInt8], keyID: String, _ purpose: Purpose, context: String) async throws -> [UInt8]? {
        guard let key = try await key(keyID), key.purpose == purpose, let sealed = try? AES.GCM.SealedBox(combined: box) else {
            return nil
        }
        return (try? AES.GCM.open(sealed, using: key.key, authenticating: Array("\(keyID)/\(context)".utf8))).map { Array($0) }
    }

    /// Opens a box with a key that is already in memory. It reads no database, so it can be called inside a
    /// transaction.
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
