/// A kept part of an image, read by offsets in the image. Every read is checked: an offset outside of the part is an
/// error and never a trap, whatever an attacker wrote into the image.
struct Bytes: Sendable {
    /// The offset of the part in the image.
    let start: UInt64
    let bytes: [UInt8]

    init(_ bytes: [UInt8], at start: UInt64 = 0) {
        self.bytes = bytes
        self.start = start
    }

    var end: UInt64 { start + UInt64(bytes.count) }

    /// The error of a read outside of the part.
    struct Outside: Error {}

    func slice(_ offset: UInt64, _ count: Int) throws(Outside) -> ArraySlice<UInt8> {
        guard count >= 0, offset >= start, offset <= end, UInt64(count) <= end - offset else { throw Outside() }
        let first = Int(offset - start)
        return bytes[first..<(first + count)]
    }

    func has(_ text: StaticString, at offset: UInt64) -> Bool {
        guard let found = try? slice(offset, text.utf8CodeUnitCount) else { return false }
        return text.withUTF8Buffer { found.elementsEqual($0) }
    }

    func has(_ expected: [UInt8], at offset: UInt64) -> Bool {
        (try? slice(offset, expected.count))?.elementsEqual(expected) ?? false
    }

    func isZero(_ offset: UInt64, _ count: Int) throws(Outside) -> Bool { try slice(offset, count).allSatisfy { $0 == 0 } }

    func byte(_ offset: UInt64) throws(Outside) -> UInt8 { try integer(offset, bigEndian: true) }

    func big16(_ offset: UInt64) throws(Outside) -> UInt16 { try integer(offset, bigEndian: true) }
    func big32(_ offset: UInt64) throws(Outside) -> UInt32 { try integer(offset, bigEndian: true) }
    func big64(_ offset: UInt64) throws(Outside) -> UInt64 { try integer(offset, bigEndian: true) }
    func little16(_ offset: UInt64) throws(Outside) -> UInt16 { try integer(offset, bigEndian: false) }
    func little32(_ offset: UInt64) throws(Outside) -> UInt32 { try integer(offset, bigEndian: false) }
    func little64(_ offset: UInt64) throws(Outside) -> UInt64 { try integer(offset, bigEndian: false) }

    private func integer<Value: FixedWidthInteger>(_ offset: UInt64, bigEndian: Bool) throws(Outside) -> Value {
        let found = try slice(offset, Value.bitWidth / 8)
        var value: Value = 0
        for byte in bigEndian ? Array(found) : found.reversed() { value = value << 8 | Value(truncatingIfNeeded: byte) }
        return value
    }
}

/// The checksum of VHDX's own structures: CRC-32C (RFC 3720, appendix B.4).
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
        (0..<8).reduce(index) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xff)] }
    }
}
