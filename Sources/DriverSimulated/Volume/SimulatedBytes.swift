import Foundation

/// The bytes that were written to a simulated volume: a few pieces, and zeros around them.
struct SimulatedBytes: Hashable, Sendable, Codable {
    /// The pieces by their offsets.
    private var pieces: [String: Data] = [:]

    init() {}

    var count: Int64 { pieces.values.reduce(0) { $0 + Int64($1.count) } }

    mutating func write(_ bytes: [UInt8], at offset: Int64) { pieces["\(offset)"] = Data(bytes) }

    /// Returns the bytes of a piece. Bytes that were not written as a piece of this offset are zeros.
    func read(_ count: Int, at offset: Int64) -> [UInt8] {
        let found = Array((pieces["\(offset)"] ?? Data()).prefix(count))
        return found + [UInt8](repeating: 0, count: count - found.count)
    }

    var all: [(offset: Int64, bytes: Data)] {
        pieces.compactMap { key, bytes in Int64(key).map { ($0, bytes) } }.sorted { $0.offset < $1.offset }
    }
}
