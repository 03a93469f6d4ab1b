import CloudCore
import SQL

/// The right to fill one image, held by one party at a time.
///
/// Who holds it with an end must renew it; when its process dies it ends by itself. Without an end it belongs to a workflow, which
/// gives it back in any case.
struct UploadLease: Sendable, Equatable {
    /// What the image's status is meanwhile, or that it is another location which is being filled.
    enum Kind: String, Sendable { case saving, uploading, importing }

    let imageID: ID<CloudCore.Kind.Image>
    let kind: Kind
    /// Of this one attempt, so that who comes too late never passes for who came after.
    let owner: String

    /// How long a lease is good without being renewed. A client may be silent for 30 s, and the last sync of a large image take as
    /// long again; whoever waits for a dead process waits no longer than this.
    static let duration = Duration.seconds(120)
    static let renewal = Duration.seconds(30)
}

/// The rows of leases.
struct UploadStore: Sendable {
    /// Nil when another one is held.
    func take(_ lease: UploadLease, at now: Timestamp, until end: Timestamp?, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM image_upload WHERE image_id = ? AND expires_at <= ?", lease.imageID, now)
        return try tx.execute(
            """
            INSERT INTO image_upload (image_id, kind, owner, renewed_at, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, lease.imageID, lease.kind.rawValue, lease.owner, now, end) == 1
    }

    /// - Returns: whether it is still held.
    func renew(_ lease: UploadLease, at now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            "UPDATE image_upload SET renewed_at = ?, expires_at = ? WHERE image_id = ? AND owner = ?",
            now, now + UploadLease.duration, lease.imageID, lease.owner) == 1
    }

    /// - Returns: whether it was still held.
    @discardableResult
    func release(_ lease: UploadLease, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM image_upload WHERE image_id = ? AND owner = ?", lease.imageID, lease.owner) == 1
    }

    /// Whether nobody holds the right to fill an image: whoever writes bytes has one until there is a row that refers to them.
    func isEmpty(in tx: Transaction) throws -> Bool { try tx.row("SELECT 1 FROM image_upload LIMIT 1") == nil }

    /// Forgets the leases of processes that are gone. Only where this process is the only one: before it serves.
    func clear(in tx: Transaction) throws { try tx.execute("DELETE FROM image_upload WHERE expires_at IS NOT NULL") }
}
