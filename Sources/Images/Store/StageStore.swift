import Blobs
import CloudCore
import SQL

/// Data that waits for its import. It is complete in a store, and nobody can read it.
struct StagedData: Sendable, Equatable, Codable {
    let store: String
    /// The text of the `ContentID`.
    let blob: String
    let size: Int64
    let md5: String
    let virtualSize: Int64?
    /// The formats that the bytes were inspected as, and found to have; nil for bytes that must be inspected again.
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

    /// Returns the data.
    ///
    /// - Throws: an internal error if the text is no blob's name.
    func data() throws -> ImageData {
        guard let id = ContentID(blob) else { throw CloudError.internalError("'\(blob)' is no blob") }
        return ImageData(blob: id, size: size, md5: md5, virtualSize: virtualSize)
    }

    /// Returns whether the bytes were inspected as the formats that the image declares now.
    func wasLookedAt(as image: Image) -> Bool {
        // An image without formats may have any bytes, so they were not inspected as its formats.
        diskFormat != nil && containerFormat != nil && diskFormat == image.diskFormat && containerFormat == image.containerFormat
    }
}

/// The rows of data that belongs to no active image yet: staged data, and data on its way into stores. They keep it
/// from being removed as garbage.
struct StageStore: Sendable {
    /// Records the staged data of an image. Earlier staged data is dropped.
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

    /// Records in advance that bytes are put into stores for an image.
    func reserve(_ blob: String, in stores: [String], for id: ID<Kind.Image>, in tx: Transaction) throws {
        try release(id, in: tx)
        for store in stores {
            try tx.execute("INSERT INTO image_import (image_id, store, blob_id) VALUES (?, ?, ?)", id, store, blob)
        }
    }

    func release(_ id: ID<Kind.Image>, in tx: Transaction) throws { try tx.execute("DELETE FROM image_import WHERE image_id = ?", id) }
}

extension UploadStore {
    /// Gives the lease of an image to a workflow. From then on it does not end by itself.
    ///
    /// - Returns: whether the workflow has the lease.
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
