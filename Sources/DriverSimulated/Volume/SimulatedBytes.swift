import Foundation
import HostModel
import NIOCore

/// The bytes that were written to a simulated volume: a few pieces, and zeros around them.
struct SimulatedBytes: Hashable, Sendable, Codable {
    /// The pieces by their offsets.
    private var pieces: [String: Data] = [:]

    init() {}

    var count: Int64 { pieces.values.reduce(0) { $0 + Int64($1.count) } }

    mutating func write(_ bytes: [UInt8], at offset: Int64) { pieces["\(offset)"] = Data(bytes) }

    /// The unit in bytes by which zeros are told from other bytes.
    private static let block = 4096

    /// Writes the parts of a piece that are not zero. A part begins and ends with a block of 4 KiB.
    mutating func writeParts(of bytes: ByteBuffer, at offset: Int64) {
        bytes.withUnsafeReadableBytes { all in
            var begin: Int?
            for place in stride(from: 0, through: all.count, by: Self.block) {
                let part = UnsafeRawBufferPointer(rebasing: all[place..<min(place + Self.block, all.count)])
                guard Zeros.fill(part) else {
                    begin = begin ?? place
                    continue
                }
                if let start = begin { write(Array(all[start..<place]), at: offset + Int64(start)) }
                begin = nil
            }
            if let start = begin { write(Array(all[start...]), at: offset + Int64(start)) }
        }
    }

    /// Returns the bytes of a piece. Bytes that were not written as a piece of this offset are zeros.
    func read(_ count: Int, at offset: Int64) -> [UInt8] {
        let found = Array((pieces["\(offset)"] ?? Data()).prefix(count))
        return found + [UInt8](repeating: 0, count: count - found.count)
    }

    var all: [(offset: Int64, bytes: Data)] {
        pieces.compactMap { key, bytes in Int64(key).map { ($0, bytes) } }.sorted { $0.offset < $1.offset }
    }
}
