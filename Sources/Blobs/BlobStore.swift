package import CloudCore
package import NIOCore

/// Where the bytes of images and objects lie. A service's rows say who may read them and what they are called; a store
/// knows neither: it is asked for bytes by what they are.
///
/// Nothing of an upload can be seen before it is committed, and after that it never changes.
package protocol BlobStore: Sendable {
    /// Begins to take bytes in.
    ///
    /// - Parameters:
    ///   - most: bytes at which the upload is refused as too large; nil when the disk alone decides.
    ///   - sha256: whether this digest is wanted as well, which costs a fifth of the time.
    ///   - owner: the project whose upload it is; nil for the cloud's own.
    /// - Throws: `unavailable` (transient) when as many uploads run as the store allows, in all or for one owner.
    func begin(most: Int64?, sha256: Bool, for owner: String?) async throws -> any BlobUpload

    /// The bytes of a range, or all of them, read when they are asked for.
    ///
    /// - Throws: `notFound`; `rangeNotSatisfiable` when the range begins behind the end. A range that only ends there is cut.
    func open(_ id: ContentID, range: Range<Int64>?) async throws -> BlobBytes

    /// - Throws: `notFound`.
    func size(_ id: ContentID) async throws -> Int64

    /// Hands over what is stored, some at a time, in no useful order.
    func list(_ body: @Sendable ([BlobEntry]) async throws -> Void) async throws

    /// Whether there is no room for anything more.
    func isFull() async -> Bool

    /// Removes the bytes unless they were stored, or stored again, after `cutoff`. Whoever reads them may read on.
    ///
    /// - Returns: whether they are gone now.
    func remove(_ id: ContentID, storedBefore cutoff: Timestamp) async throws -> Bool
}

/// Bytes on their way in. It has one owner, who calls one method at a time. If the owner forgets it, it leaves nothing.
package protocol BlobUpload: Sendable {
    /// Takes the bytes in, and waits while the disk or the digests are far behind: that is the sender's back-pressure.
    ///
    /// - Throws: `tooLarge` when it exceeds the upload's limit or the disk is full.
    func append(_ bytes: ByteBuffer) async throws

    /// Makes the bytes visible, and durable: a power cut after it loses nothing.
    ///
    /// - Throws: `badRequest` when they are not what was expected; then nothing is kept.
    func commit(expecting expected: BlobExpectation) async throws -> StoredBlob

    /// Forgets the bytes. Without effect after a commit.
    func abort() async
}

extension ContentID {
    /// The folder that its bytes lie in: one of 256, so that no folder has so many entries that a listing needs much
    /// memory.
    var shard: String { String(text.prefix(2)) }
}

/// A blob as a listing has it.
package struct BlobEntry: Hashable, Sendable {
    package let id: ContentID
    package let size: Int64
    /// When it was last stored: storing the same bytes again renews it.
    package let storedAt: Timestamp
}

/// What a finished upload is.
package struct StoredBlob: Hashable, Sendable {
    /// The SHA-512 as well.
    package let id: ContentID
    package let size: Int64
    /// Lower case hexadecimal.
    package let md5: String
    /// Lower case hexadecimal; nil unless it was asked for.
    package let sha256: String?
}

/// What the sender said about the bytes beforehand. What is nil was not said. Digests may be in either case.
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
    /// Stores what a sequence gives. Whatever is thrown on the way, and a caller who is cancelled, leave nothing behind.
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

    /// Removes what no row refers to and is older than `grace`.
    ///
    /// The grace period is what makes this safe against an upload that is committed and whose row is not there yet: it must be
    /// longer than the time between the two.
    ///
    /// - Parameter referenced: which of these ids some row refers to. A failure ends the collection, and nothing it was
    ///   asked about is removed.
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
