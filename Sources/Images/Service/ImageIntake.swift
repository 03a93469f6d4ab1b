import Blobs
import CloudCore
import ImageFormats
import NIOCore
import SQL

/// How an image gets its data: bytes from wherever they come, looked at while they stream into a store, then one transaction that
/// makes the image what its data is.
///
///     take the lease --> receive: stream, inspect, commit the blob --> activate: lease given back, row active, location
///                           '--anything goes wrong--> no bytes, lease given back, the image is `queued`
struct ImageIntake: Sendable {
    let context: ImagesContext

    /// The most that any image may have, as in the reference (`image_size_cap`): 1 TiB.
    static let most: Int64 = 1 << 40

    /// Formats of containers whose disk can be read as it is. In the others it lies packed, and nothing here unpacks it.
    private static let plainContainers: Set<String> = ["bare", "ami", "ari", "aki"]

    /// Makes the right to fill the image one's own.
    ///
    /// - Parameter end: nil for a workflow, which gives it back in any case.
    /// - Throws: `conflict` when somebody else has it, or the image is not one that can be filled; `tooLarge` by quota.
    func take(
        _ kind: UploadLease.Kind, _ image: Image, until end: Timestamp?, owner: String? = nil, in tx: Transaction
    ) throws -> UploadLease {
        let now = context.world.now
        let lease = UploadLease(imageID: image.id, kind: kind, owner: owner ?? context.world.random.uuid())
        guard try context.uploads.take(lease, at: now, until: end, in: tx) else {
            throw CloudError.conflict("Image status transition from \(image.status.rawValue) to \(kind.rawValue) is not allowed")
        }
        try context.quota.require(.countUploading, 0, of: image.owner, at: now, in: tx)
        return lease
    }

    /// Refuses an image that does not say yet what its data will be.
    static func requireFormats(_ image: Image) throws {
        let missing = [("disk_format", image.diskFormat), ("container_format", image.containerFormat)].filter { $0.1 == nil }.map(\.0)
        guard missing.isEmpty else {
            let noun = missing.count == 1 ? "Property" : "Properties"
            throw CloudError.badRequest("\(noun) \(missing.joined(separator: ", ")) must be set prior to saving data.")
        }
    }

    /// Streams the bytes into a store. Whatever is thrown leaves nothing behind.
    ///
    /// - Parameters:
    ///   - image: whose formats the bytes must have.
    ///   - expected: what the sender said about the bytes beforehand.
    ///   - keepsUnfit: whether bytes that are not what the image says, or not safe, are kept and only called so.
    ///   - meanwhile: called before each piece is stored; may end it all by throwing.
    /// - Throws: `unsupportedMediaType` for such bytes otherwise.
    func receive<Chunks: AsyncSequence>(
        _ chunks: Chunks, of image: Image, into store: any BlobStore, most: Int64 = Self.most,
        expecting expected: BlobExpectation = BlobExpectation(), keepsUnfit: Bool = false, isolation: isolated (any Actor)? = #isolation,
        meanwhile: () async throws -> Void = {}
    ) async throws -> ImageData where Chunks.Element == ByteBuffer {
        let declared = image.containerFormat.map(Self.plainContainers.contains) == true ? image.diskFormat.flatMap(DiskFormat.init) : nil
        var inspector = FormatInspector()
        var isDecided = declared == nil || keepsUnfit
        let upload = try await store.begin(most: most, sha256: expected.sha256 != nil, for: image.owner)
        do {
            for try await chunk in chunks {
                try Task.checkCancellation()
                if let declared {
                    chunk.withUnsafeReadableBytes { inspector.inspect($0) }
                    if !isDecided, let early = inspector.early {
                        isDecided = true
                        try Self.refuseEarly(early, declared)
                    }
                }
                try await meanwhile()
                try await upload.append(chunk)
            }
            try Task.checkCancellation()
            let inspection = inspector.finish()
            let isFit = try Self.isFit(inspection, declared, keepsUnfit: keepsUnfit)
            try await meanwhile()
            let blob = try await upload.commit(expecting: expected)
            return ImageData(
                blob: blob.id, size: blob.size, md5: blob.md5, virtualSize: declared.flatMap { Self.virtualSize(inspection, $0) }, isFit: isFit)
        } catch {
            await upload.abort()
            throw error
        }
    }

    /// A fixed VHD shows itself only at its end; all else is known to be wrong as soon as it is.
    private static func refuseEarly(_ early: Inspection, _ declared: DiskFormat) throws {
        if declared != .vhd { try early.require(declared) }
    }

    private static func isFit(_ inspection: Inspection, _ declared: DiskFormat?, keepsUnfit: Bool) throws(CloudError) -> Bool {
        guard let declared else { return true }
        if keepsUnfit { return (try? inspection.require(declared)) != nil }
        try inspection.require(declared)
        return true
    }

    /// What is read as a flat disk is as large as its file, whatever lies in it.
    private static func virtualSize(_ inspection: Inspection, _ declared: DiskFormat) -> Int64? {
        if declared == .raw { return inspection.size }
        return inspection.format == declared ? inspection.virtualSize : nil
    }

    /// Makes the image active with data that is in a store, and gives the lease back.
    ///
    /// - Throws: `gone` when the image, or the right to fill it, went away meanwhile.
    func activate(_ lease: UploadLease, _ data: ImageData, in store: String, _ tx: Transaction) throws -> Image {
        let now = context.world.now
        guard try context.uploads.release(lease, in: tx),
            let old = try context.images.find(lease.imageID, for: Onlooker(project: nil, now: now), in: tx),
            old.status == .queued || old.status == .uploading
        else {
            throw CloudError(
                .gone, "Image \(lease.imageID) could not be found after upload. The image may have been deleted during the upload.")
        }
        var image = old
        image.take(data)
        image.status = .active
        image.updatedAt = now
        image.locations = [Image.Location(id: context.world.random.uuid(), store: store, blob: data.blob)]
        try context.quota.require(.sizeTotal, data.size, of: image.owner, at: now, in: tx)
        try context.images.update(image, from: old, in: tx)
        return image
    }
}
