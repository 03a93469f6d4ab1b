import Blobs
import CloudCore
import Foundation
import NIOCore

/// A separate process for what a test cannot do inside itself: be killed, and be measured.
@main
enum Probe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            print("usage: BlobsProbe upload <folder> <bytes> | bench <folder> <file>")
            return
        }
        let store = try await FileBlobStore(folder: arguments[2], world: .real)
        switch arguments[1] {
        case "upload": try await upload(store, bytes: Int(arguments[3]) ?? 0)
        default: try await bench(store, file: arguments[3])
        }
    }

    /// Stores random bytes again and again. For each upload it prints a line at the half, and the name of the stored
    /// blob.
    private static func upload(_ store: FileBlobStore, bytes: Int) async throws {
        while true {
            let upload = try await store.begin()
            var left = bytes
            var isHalf = false
            while left > 0 {
                if !isHalf, left <= bytes / 2 {
                    isHalf = true
                    try say("half")
                }
                let part = World.real.random.bytes(min(4096, left))
                for _ in 0..<16 where left > 0 {
                    let count = min(part.count, left)
                    try await upload.append(ByteBuffer(bytes: part.prefix(count)))
                    left -= count
                }
            }
            let blob = try await upload.commit(expecting: BlobExpectation(size: Int64(bytes)))
            try say(blob.id.text)
        }
    }

    private static func say(_ line: String) throws { try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8)) }

    /// Measures how long a file takes to store, in pieces of the size that a connection of a server delivers.
    private static func bench(_ store: FileBlobStore, file: String) async throws {
        let descriptor = open(file, O_RDONLY)
        let clock = ContinuousClock()
        let start = clock.now
        let upload = try await store.begin()
        var buffer = ByteBufferAllocator().buffer(capacity: 256 << 10)
        while true {
            buffer.clear()
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 256 << 10) {
                max(0, read(descriptor, $0.baseAddress, 256 << 10))
            }
            if got == 0 { break }
            try await upload.append(buffer)
        }
        let received = clock.now - start
        let blob = try await upload.commit(expecting: BlobExpectation())
        let whole = clock.now - start
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        print(
            "\(blob.size) bytes: received in \(received), durable after \(whole), at most \(usage.ru_maxrss / 1024) MiB resident")
        print("SHA-512 \(blob.id) MD5 \(blob.md5)")
    }
}
