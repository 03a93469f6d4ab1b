import CloudCore
import Foundation
import Resources
import SQL

/// An address of either version: a number, so that ranges are arithmetic.
struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    enum Version: Int64, Sendable {
        case v4 = 4
        case v6 = 6

        var bits: Int { self == .v4 ? 32 : 128 }
        var mask: UInt128 { self == .v4 ? UInt128(UInt32.max) : UInt128.max }
    }

    let version: Version
    let value: UInt128

    init(_ version: Version, _ value: UInt128) {
        self.version = version
        self.value = value & version.mask
    }

    /// Reads dotted quads without leading zeros, and RFC 4291's text forms without a zone.
    init?(_ text: some StringProtocol) {
        let text = String(text)
        if text.utf8.contains(UInt8(ascii: ":")) {
            var bytes = [UInt8](repeating: 0, count: 16)
            guard text.utf8.count < 64, inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
            self.init(.v6, bytes.reduce(0) { $0 << 8 | UInt128($1) })
        } else {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let bytes = parts.compactMap { part in UInt8(part).flatMap { String($0) == part ? $0 : nil } }
            guard parts.count == 4, bytes.count == 4 else { return nil }
            self.init(.v4, bytes.reduce(0) { $0 << 8 | UInt128($1) })
        }
    }

    /// As RFC 5952 has it.
    var description: String {
        if version == .v4 { return (0..<4).reversed().map { String(UInt8(truncatingIfNeeded: value >> ($0 * 8))) }.joined(separator: ".") }
        let bytes = (0..<16).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(AF_INET6, bytes, &text, 64) != nil else { return "::" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Hexadecimal digits of a fixed number: sorts in a database as the addresses do.
    var key: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: version.bits / 4 - digits.count) + digits
    }

    init?(key: String) {
        guard key.utf8.count == 8 || key.utf8.count == 32, let value = UInt128(key, radix: 16) else { return nil }
        self.init(key.utf8.count == 8 ? .v4 : .v6, value)
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.version.rawValue, left.value) < (right.version.rawValue, right.value)
    }

    static func + (left: Self, right: Int) -> Self { Self(left.version, left.value &+ UInt128(truncatingIfNeeded: right)) }

    var isMulticast: Bool { version == .v4 ? value >> 28 == 0xe : value >> 120 == 0xff }
    var isLoopback: Bool { version == .v4 ? value >> 24 == 127 : value == 1 }
    var isLinkLocal: Bool { version == .v4 ? value >> 16 == 0xa9fe : value >> 118 == 0x3fa }
}

/// A network: an address whose bits behind the length are zero.
struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
    let first: IPAddress
    let length: Int

    init(_ address: IPAddress, _ length: Int) {
        self.length = length
        let free = address.version.bits - length
        first = IPAddress(address.version, free >= 128 ? 0 : (address.value >> UInt128(free)) << UInt128(free))
    }

    /// `address/length`; bits behind the length become zero. An address alone stands for itself where `alone` says so.
    init?(_ text: some StringProtocol, alone: Bool = false) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        if parts.count == 1, alone {
            self.init(address, address.version.bits)
        } else {
            guard parts.count == 2, let length = UInt8(parts[1]), String(length) == parts[1], Int(length) <= address.version.bits else { return nil }
            self.init(address, Int(length))
        }
    }

    var version: IPAddress.Version { first.version }
    private var hostMask: UInt128 {
        let free = version.bits - length
        return free >= 128 ? .max : (1 << UInt128(free)) - 1
    }
    var last: IPAddress { IPAddress(version, first.value | hostMask) }
    var description: String { "\(first)/\(length)" }

    func contains(_ address: IPAddress) -> Bool { address.version == version && address >= first && address <= last }
    func contains(_ other: IPPrefix) -> Bool { contains(other.first) && other.length >= length }
    func overlaps(_ other: IPPrefix) -> Bool { contains(other.first) || other.contains(first) }
}

/// Addresses from one to another, both included.
struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    let first: IPAddress
    let last: IPAddress

    var description: String { "\(first)-\(last)" }
    func contains(_ address: IPAddress) -> Bool { address.version == first.version && address >= first && address <= last }
    func overlaps(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }
    /// How many, but no more than fits.
    var count: UInt128 {
        let distance = last.value - first.value
        return distance == .max ? .max : distance + 1
    }
}

/// 48 bits, written in lower case with colons.
struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Six pairs of digits, with colons, hyphens or nothing between them; no group address.
    init?(_ text: String) {
        let digits = text.filter { $0 != ":" && $0 != "-" }
        guard digits.utf8.count == 12, [12, 17].contains(text.utf8.count), let bytes = Hex.bytes(digits.lowercased()),
            bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 })
        else { return nil }
        self.bytes = bytes
    }

    var description: String { bytes.map { Hex.text([$0]) }.joined(separator: ":") }

    /// The interface identifier of RFC 4291 appendix A behind a prefix of 64 bits: what a guest makes of a router's advertisement.
    func address(in prefix: IPPrefix) -> IPAddress {
        let identifier = [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]
        return IPAddress(.v6, prefix.first.value | identifier.reduce(0) { $0 << 8 | UInt128($1) })
    }
}

// MARK: - As fields

extension IPAddress: FieldValue {
    var json: JSON { .string(description) }
    init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    var sql: SQLValue { .text(description) }
    init?(sql: SQLValue) {
        guard case .text(let text) = sql else { return nil }
        self.init(text)
    }
    static func sql(filter text: String) -> SQLValue? { IPAddress(text)?.sql }
}

extension IPPrefix: FieldValue {
    var json: JSON { .string(description) }
    init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    var sql: SQLValue { .text(description) }
    init?(sql: SQLValue) {
        guard case .text(let text) = sql else { return nil }
        self.init(text)
    }
    static func sql(filter text: String) -> SQLValue? { IPPrefix(text)?.sql }
}

extension MACAddress: FieldValue {
    var json: JSON { .string(description) }
    init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    var sql: SQLValue { .text(description) }
    init?(sql: SQLValue) {
        guard case .text(let text) = sql else { return nil }
        self.init(text)
    }
    static func sql(filter text: String) -> SQLValue? { MACAddress(text)?.sql }
}
