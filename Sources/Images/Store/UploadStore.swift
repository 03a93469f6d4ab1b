import CloudCore
import SQL

/// The lease to fill one image, held by one party at a time.
///
/// A lease with an end must be renewed; if its process dies, it ends by itself. A lease without an end belongs to a
/// workflow, which always gives it back.
struct UploadLease: Sendable, Equatable {
    /// The status that a queued image has meanwhile. An active image stays `active` while a copy fills another store.
    enum Kind: String, Sendable { case saving, uploading, importing }

    let imageID: ID<CloudCore.Kind.Image>
    let kind: Kind
    /// The id of this one attempt, so that a stale uploader cannot be mistaken for its successor.
    let owner: String

    /// The time for which a lease is valid without renewal. A client may be silent for 30 s, and the last sync of a
    /// large image may take as long again. A caller that waits for a dead process waits no longer than this.
    static let duration = Duration.seconds(120)
    static let renewal = Duration.seconds(30)
}

/// The rows of leases.
struct UploadStore: Sendable {
    /// Takes a lease. Returns false if another one is held.
    func take(_ lease: UploadLease, at now: Timestamp, until end: Timestamp?, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM image_upload WHERE image_id = ? AND expires_at <= ?", lease.imageID, now)
        return try tx.execute(
            """
            INSERT INTO image_upload (image_id, kind, owner, renewed_at, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, lease.imageID, lease.kind.rawValue, lease.owner, now, end) == 1
    }

    /// Renews a lease. Returns whether it is still held.
    func renew(_ lease: UploadLease, at now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            "UPDATE image_upload SET renewed_at = ?, expires_at = ? WHERE image_id = ? AND owner = ?",
            now, now + UploadLease.duration, lease.imageID, lease.owner) == 1
    }

    /// Gives a lease back. Returns whether it was still held.
    @discardableResult
    func release(_ lease: UploadLease, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM image_upload WHERE image_id = ? AND owner = ?", lease.imageID, lease.owner) == 1
    }

    /// Returns whether no lease exists. A writer of bytes has a lease until there is a row that refers to them.
    func isEmpty(in tx: Transaction) throws -> Bool { try tx.row("SELECT 1 FROM image_upload LIMIT 1") == nil }

    /// Deletes the leases of dead processes. It may only run while this process is the only one, before it serves
    /// requests.
    func clear(in tx: Transaction) throws { try tx.execute("DELETE FROM image_upload WHERE expires_at IS NOT NULL") }
}
