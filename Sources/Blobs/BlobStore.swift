package import CloudCore
package import NIOCore

/// A store of bytes, such as those of images. The rows of a service say who may read the bytes and what they are
/// called. The store knows neither: it finds bytes by their digest.
///
/// No byte of an upload is visible before the commit, and committed bytes never change.
package protocol BlobStore: Sendable {
    /// Begins an upload.
    ///
    /// - Parameters:
    ///   - most: the most bytes of the upload; a larger one is refused as too large. Nil if only the disk limits it.
    ///   - sha256: whether the SHA-256 is wanted as well, which costs a fifth of the time.
    ///   - owner: the project that uploads; nil for the cloud itself.
    /// - Throws: `unavailable` (transient) if the store already runs as many uploads as it allows, in total or for one
    ///   owner.
    func begin(most: Int64?, sha256: Bool, for owner: String?) async throws -> any BlobUpload

    /// Opens a blob for reading, all of it or a range. The bytes are read when the consumer asks for them.
    ///
    /// - Parameter owner: the project that downloads, or the user without a project; nil for the cloud itself.
    /// - Throws: `notFound`; `rangeNotSatisfiable` if the range begins behind the end. A range that only ends behind it
    ///   is cut. `unavailable` (transient) if as many readers run as the store allows, in total or for one owner.
    func open(_ id: ContentID, range: Range<Int64>?, for owner: String?) async throws -> BlobBytes

    /// Returns the size of a blob in bytes.
    ///
    /// - Throws: `notFound`.
    func size(_ id: ContentID) async throws -> Int64

    /// Passes all stored blobs to `body`, some at a time, in no useful order.
    func list(_ body: @Sendable ([BlobEntry]) async throws -> Void) async throws

    /// Returns whether the store has no room for more.
    func isFull() async -> Bool

    /// Removes a blob unless it was stored, or stored again, at or after `cutoff`. Readers that have it open may read
    /// on.
    ///
    /// - Returns: whether the blob is gone now.
    func remove(_ id: ContentID, storedBefore cutoff: Timestamp) async throws -> Bool
}

/// An upload that runs. It has one owner, who calls one method at a time. If the owner drops it without a commit,
/// nothing is left.
package protocol BlobUpload: Sendable {
    /// Adds bytes. It waits while the disk or the digests are far behind, and so slows the sender down.
    ///
    /// - Throws: `tooLarge` if the upload exceeds its limit or the disk is full.
    func append(_ bytes: ByteBuffer) async throws

    /// Makes the bytes visible and durable: a power cut after it loses nothing.
    ///
    /// - Throws: `badRequest` if the bytes differ from the expectation; then nothing is kept.
    func commit(expecting expected: BlobExpectation) async throws -> StoredBlob

    /// Discards the bytes. It has no effect after a commit.
    func abort() async
}

extension ContentID {
    /// The folder of the blob, one of 256, so that no folder has so many entries that a listing needs much memory.
    var shard: String { String(text.prefix(2)) }
}

/// A blob in a listing.
package struct BlobEntry: Hashable, Sendable {
    package let id: ContentID
    package let size: Int64
    /// The time at which the blob was last stored; storing the same bytes again renews it.
    package let storedAt: Timestamp
}

/// The result of a finished upload.
package struct StoredBlob: Hashable, Sendable {
    /// The id of the blob, which is its SHA-512.
    package let id: ContentID
    package let size: Int64
    /// The MD5 in lower case hexadecimal.
    package let md5: String
    /// The SHA-256 in lower case hexadecimal; nil unless it was asked for.
    package let sha256: String?
}

/// The sender's announcement of the bytes. Nil stands for what was not announced. Digests may be in upper or lower
/// case.
package struct BlobExpectation: Sendable {
    package var size: Int64?
    package var md5: String?
    package var sha256: String?
    package var sha512: String?

    package init(size: Int64? = nil, md5: String? = nil, sha256: String? = nil, sha512: String? = nil) {
        self.size = size
        self.md5 = md5
        self.sha256 = sha256
        self.sha512 = sha512
    }

    func check(_ blob: StoredBlob) throws(CloudError) {
        if let size, size != blob.size {
            throw .badRequest("The data has \(blob.size) bytes and not \(size) as announced.")
        }
        for (name, expected, found) in [
            ("MD5", md5, blob.md5), ("SHA-256", sha256, blob.sha256), ("SHA-512", sha512, blob.id.text),
        ] {
            guard let expected, expected.lowercased() != found else { continue }
            throw .badRequest("The data's \(name) is not the one that was announced.")
        }
    }
}

extension BlobStore {
    /// Opens a blob for the cloud itself.
    package func open(_ id: ContentID, range: Range<Int64>? = nil) async throws -> BlobBytes {
        try await open(id, range: range, for: nil)
    }

    /// Stores the bytes of a sequence. After an error or a cancel nothing is left behind.
    ///
    /// - Parameter inspect: sees each buffer before it is stored, and may refuse the rest by throwing.
    package func store<Chunks: AsyncSequence>(
        _ chunks: Chunks, most: Int64? = nil, sha256: Bool = false, expecting expected: BlobExpectation = BlobExpectation(),
        isolation: isolated (any Actor)? = #isolation, inspect: (ByteBuffer) throws -> Void = { _ in }
    ) async throws -> StoredBlob where Chunks.Element == ByteBuffer {
        let upload = try await begin(most: most, sha256: sha256 || expected.sha256 != nil, for: nil)
        do {
            for try await chunk in chunks {
                try Task.checkCancellation()
                try inspect(chunk)
                try await upload.append(chunk)
            }
            try Task.checkCancellation()
            return try await upload.commit(expecting: expected)
        } catch {
            await upload.abort()
            throw error
        }
    }

    /// Removes the blobs that no row refers to and that are older than `grace`.
    ///
    /// The grace period protects an upload that is committed and whose row does not exist yet: it must be longer than
    /// the time between the two.
    ///
    /// - Parameter referenced: returns those of the ids that some row refers to. If it throws, the collection ends, and
    ///   none of the ids that it was asked about is removed.
    package func collectGarbage(
        now: Timestamp, grace: Duration, referenced: @Sendable ([ContentID]) async throws -> Set<ContentID>
    ) async throws {
        let cutoff = now - grace
        try await list { entries in
            let old = entries.filter { $0.storedAt < cutoff }.map(\.id)
            guard !old.isEmpty else { return }
            let kept = try await referenced(old)
            for id in old where !kept.contains(id) { _ = try await remove(id, storedBefore: cutoff) }
        }
    }
}
