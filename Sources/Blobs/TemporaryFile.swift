import CloudCore
import Foundation
import NIOCore

/// A file under a random name. It is removed when its last reference is gone, unless it was published under its real
/// name. Its lock tells a sweep that it is still being written; a process that dies loses the lock.
final class TemporaryFile: @unchecked Sendable {  // One lane writes; `publish` comes after the lane has finished.
    private let path: String
    private let descriptor: Descriptor
    private let calls: DiskCalls
    private var isPublished = false
    private var written = 0
    private var flushed = 0
    /// The aligned memory for writes past the page cache: copying into the cache costs more than both digests, and new
    /// bytes are seldom read at once. Nil before the first piece, on a file system without direct writes, and from the
    /// first piece of an odd size on.
    private var direct: UnsafeMutableRawBufferPointer?
    private var isDirect = false

    /// Bytes that are handed to the disk at a time while the rest is still coming; otherwise the sync at the end would
    /// have to write everything.
    private static let flushStep = 8 << 20

    init(in folder: String, random: any Randomness, _ calls: DiskCalls) throws(CloudError) {
        self.calls = calls
        while true {
            let path = "\(folder)/\(random.hexID())"
            let descriptor = try Descriptor(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            // A sweep may have taken the file for an orphan between its creation and the lock.
            if descriptor.tryLock(), try descriptor.status().st_nlink == 1 {
                self.path = path
                self.descriptor = descriptor
                #if os(Linux)
                isDirect = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) | Disk.direct) == 0
                #endif
                return
            }
        }
    }

    deinit {
        direct?.deallocate()
        if !isPublished { unlink(path) }
    }

    func write(_ chunk: ByteBuffer) throws(CloudError) {
        var rest = chunk
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { writeDirectly($0) ?? calls.write(descriptor.number, $0) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Disk.failure("write", path) }
            rest.moveReaderIndex(forwardBy: count)
            written += count
        }
        if !isDirect { flush() }
    }

    /// Writes past the page cache. Returns nil if this and all later bytes must go through the page cache.
    private func writeDirectly(_ bytes: UnsafeRawBufferPointer) -> Int? {
        #if os(Linux)
        guard isDirect else { return nil }
        if written.isMultiple(of: Disk.block), bytes.count.isMultiple(of: Disk.block) {
            // The memory is allocated with the first piece, so that an upload without data costs nothing.
            let direct = direct ?? .allocate(byteCount: FileUpload.chunkSize, alignment: Disk.block)
            self.direct = direct
            let part = bytes.prefix(direct.count)
            direct.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            let count = calls.write(descriptor.number, UnsafeRawBufferPointer(rebasing: direct.prefix(part.count)))
            // A disk that does not accept the write says so with `EINVAL`.
            if count >= 0 || errno != EINVAL { return count }
        }
        _ = fcntl(descriptor.number, F_SETFL, fcntl(descriptor.number, F_GETFL) & ~Disk.direct)
        direct?.deallocate()
        (direct, isDirect) = (nil, false)
        flushed = written
        #endif
        return nil
    }

    private func flush() {
        guard written - flushed >= Self.flushStep else { return }
        #if os(Linux)
        // Linux starts to write the dirty pages that it is told nobody needs (mm/fadvise.c), and does not wait. The
        // call is only a hint: the final sync reports the errors of these pages.
        _ = posix_fadvise(descriptor.number, off_t(flushed), off_t(written - flushed), POSIX_FADV_DONTNEED)
        #endif
        flushed = written
    }

    /// Syncs the bytes and then gives them their name, so that the name has all bytes from its first moment on, also
    /// after a power cut. If the same bytes exist already, they are replaced and count as stored now.
    func publish(_ name: String, in shard: String, at now: Timestamp) throws(CloudError) {
        var times = [now.timespec, now.timespec]
        guard futimens(descriptor.number, &times) == 0 else { throw Disk.failure("date", path) }
        try descriptor.sync(calls)
        let shardFolder = try Descriptor(shard, O_RDONLY | O_DIRECTORY)
        // A removal that has just seen old bytes of this name must not remove the new ones.
        try shardFolder.lock()
        guard rename(path, "\(shard)/\(name)") == 0 else { throw Disk.failure("name", path) }
        isPublished = true
        try shardFolder.sync(calls)
    }

    /// Removes the bytes now. The removal of a large file takes a while, and `deinit` would run on the thread of the
    /// last reference.
    func discard() {
        guard !isPublished else { return }
        unlink(path)
        ftruncate(descriptor.number, 0)
    }

    /// Removes the files that dead processes have left in the folder.
    static func sweep(_ folder: String) throws(CloudError) {
        for name in try Disk.names(in: folder) {
            let path = "\(folder)/\(name)"
            guard let descriptor = try? Descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), descriptor.tryLock() else {
                continue
            }
            unlink(path)
        }
    }
}
