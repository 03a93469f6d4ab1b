import Blobs
import CloudCore
import SQL

/// Data that waits for its import. It is in a store and whole, and nobody can read it.
struct StagedData: Sendable, Equatable, Codable {
    let store: String
    /// A `BlobID`'s text.
    let blob: String
    let size: Int64
    let md5: String
    let virtualSize: Int64?
    /// What the bytes were looked at as when they came, and found to be; nil for what is to be looked at again.
    let diskFormat: String?
    let containerFormat: String?

    init(_ data: ImageData, in store: String, as image: Image) {
        self.store = store
        blob = data.blob.text
        (size, md5, virtualSize) = (data.size, data.md5, data.virtualSize)
        (diskFormat, containerFormat) = data.isFit ? (image.diskFormat, image.containerFormat) : (nil, nil)
    }

    fileprivate init(_ row: Row) throws {
        store = try row["store"]
        blob = try row["blob_id"]
        size = try row["size"]
        md5 = try row["md5"]
        virtualSize = try row["virtual_size"]
        diskFormat = try row["disk_format"]
        containerFormat = try row["container_format"]
    }

    /// - Throws: a bug's error when the text is no blob's name.
    func data() throws -> ImageData {
        guard let id = BlobID(blob) else { throw CloudError.internalError("'\(blob)' is no blob") }
        return ImageData(blob: id, size: size, md5: md5, virtualSize: virtualSize)
    }

    /// Whether the bytes were looked at as what the image says now.
    func wasLookedAt(as image: Image) -> Bool {
        // An image without formats may have any bytes, so none were looked at as its.
        diskFormat != nil && containerFormat != nil && diskFormat == image.diskFormat && containerFormat == image.containerFormat
    }
}

/// The rows of data that is no image's yet: staged, or on its way into stores. They keep it from being collected as garbage.
struct StageStore: Sendable {
    /// Says that the data of an image is staged. What was staged before is forgotten.
    func set(_ staged: StagedData, for id: ID<Kind.Image>, at now: Timestamp, in tx: Transaction) throws {
        try delete(id, in: tx)
        try tx.execute(
            """
            INSERT INTO image_stage (image_id, store, blob_id, size, created_at, md5, virtual_size, disk_format, container_format)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            id, staged.store, staged.blob, staged.size, now, staged.md5, staged.virtualSize, staged.diskFormat, staged.containerFormat)
    }

    func find(_ id: ID<Kind.Image>, in tx: Transaction) throws -> StagedData? {
        try tx.row(
            "SELECT store, blob_id, size, md5, virtual_size, disk_format, container_format FROM image_stage WHERE image_id = ?", id
        ).map(StagedData.init)
    }

    func delete(_ id: ID<Kind.Image>, in tx: Transaction) throws { try tx.execute("DELETE FROM image_stage WHERE image_id = ?", id) }

    /// Says, before it is done, that bytes are put into stores for an image.
    func reserve(_ blob: String, in stores: [String], for id: ID<Kind.Image>, in tx: Transaction) throws {
        try release(id, in: tx)
        for store in stores {
            try tx.execute("INSERT INTO image_import (image_id, store, blob_id) VALUES (?, ?, ?)", id, store, blob)
        }
    }

    func release(_ id: ID<Kind.Image>, in tx: Transaction) throws { try tx.execute("DELETE FROM image_import WHERE image_id = ?", id) }
}

extension UploadStore {
    /// Makes the right to fill an image a workflow's: from then on it has no end of its own.
    ///
    /// - Returns: whether it is the workflow's.
    func keep(_ lease: UploadLease, at now: Timestamp, in tx: Transaction) throws -> Bool {
        let kept = try tx.execute(
            "UPDATE image_upload SET expires_at = NULL, renewed_at = ? WHERE image_id = ? AND owner = ?", now, lease.imageID, lease.owner)
        return try kept == 1 || take(lease, at: now, until: nil, in: tx)
    }

    func isHeld(_ lease: UploadLease, in tx: Transaction) throws -> Bool {
        let count: Int? = try tx.value(
            "SELECT count(*) FROM image_upload WHERE image_id = ? AND owner = ?", lease.imageID, lease.owner)
        return count == 1
    }
}
