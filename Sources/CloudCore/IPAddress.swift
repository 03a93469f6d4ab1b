import Foundation

/// An IP address of either version. It is stored as a number, so that ranges are arithmetic.
package struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum Version: Int64, Sendable, Codable {
        case v4 = 4
        case v6 = 6

        package var bits: Int { self == .v4 ? 32 : 128 }
        package var mask: UInt128 { self == .v4 ? UInt128(UInt32.max) : UInt128.max }
    }

    package let version: Version
    package let value: UInt128

    package init(_ version: Version, _ value: UInt128) {
        self.version = version
        self.value = value & version.mask
    }

    /// Makes an address of 4 or 16 bytes in network order; nil for any other number of bytes.
    package init?(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(bytes.count == 4 ? .v4 : .v6, bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// The bytes in network order.
    package var bytes: [UInt8] { (0..<version.bits / 8).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

    /// Reads four decimal numbers without leading zeros, or a text form of RFC 4291 without a zone.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        if text.utf8.contains(UInt8(ascii: ":")) {
            var bytes = [UInt8](repeating: 0, count: 16)
            guard text.utf8.count < 64, inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
            self.init(bytes: bytes)
        } else {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let bytes = parts.compactMap { part in UInt8(part).flatMap { String($0) == part ? $0 : nil } }
            guard parts.count == 4 else { return nil }
            self.init(bytes: bytes)
        }
    }

    /// The address in the text form of RFC 5952.
    package var description: String {
        if version == .v4 {
            let value = UInt32(truncatingIfNeeded: value)
            return "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
        }
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(AF_INET6, bytes, &text, 64) != nil else { return "::" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The address as a fixed number of hexadecimal digits. A database sorts these texts in the order of the addresses.
    package var key: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: version.bits / 4 - digits.count) + digits
    }

    package init?(key: String) {
        guard key.utf8.count == 8 || key.utf8.count == 32, let value = UInt128(key, radix: 16) else { return nil }
        self.init(key.utf8.count == 8 ? .v4 : .v6, value)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.version.rawValue, left.value) < (right.version.rawValue, right.value)
    }

    package static func + (left: Self, right: Int) -> Self { Self(left.version, left.value &+ UInt128(truncatingIfNeeded: right)) }

    package var isMulticast: Bool { version == .v4 ? value >> 28 == 0xe : value >> 120 == 0xff }
    package var isLoopback: Bool { version == .v4 ? value >> 24 == 127 : value == 1 }
    package var isLinkLocal: Bool { version == .v4 ? value >> 16 == 0xa9fe : value >> 118 == 0x3fa }
}

/// A network: an address whose bits after the prefix length are zero.
package struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    package let length: Int

    package init(_ address: IPAddress, _ length: Int) {
        self.length = length
        let free = address.version.bits - length
        first = IPAddress(address.version, free >= 128 ? 0 : (address.value >> UInt128(free)) << UInt128(free))
    }

    /// Reads `address/length`. Bits after the length become zero. If `alone` is true, an address without a length is a
    /// network of one address.
    package init?(_ text: some StringProtocol, alone: Bool = false) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        if parts.count == 1, alone {
            self.init(address, address.version.bits)
        } else {
            guard parts.count == 2, let length = UInt8(parts[1]), String(length) == parts[1], Int(length) <= address.version.bits else { return nil }
            self.init(address, Int(length))
        }
    }

    /// Reads a network in its exact form, or a single address. Returns nil also if a bit after the length is set.
    package init?(exactly text: some StringProtocol) {
        guard let prefix = IPPrefix(text, alone: true), IPAddress(text.prefix { $0 != "/" }) == prefix.first else { return nil }
        self = prefix
    }

    package var version: IPAddress.Version { first.version }
    private var hostMask: UInt128 {
        let free = version.bits - length
        return free >= 128 ? .max : (1 << UInt128(free)) - 1
    }
    package var last: IPAddress { IPAddress(version, first.value | hostMask) }
    package var description: String { "\(first)/\(length)" }

    package func contains(_ address: IPAddress) -> Bool { address.version == version && address >= first && address <= last }
    package func contains(_ other: IPPrefix) -> Bool { contains(other.first) && other.length >= length }
    package func overlaps(_ other: IPPrefix) -> Bool { contains(other.first) || other.contains(first) }
}

/// The addresses between two addresses, both included.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    package let last: IPAddress

    package init(first: IPAddress, last: IPAddress) { (self.first, self.last) = (first, last) }

    package var description: String { "\(first)-\(last)" }
    package func contains(_ address: IPAddress) -> Bool { address.version == first.version && address >= first && address <= last }
    package func overlaps(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }
    /// The number of addresses, or the largest number if it does not fit.
    package var count: UInt128 {
        let distance = last.value - first.value
        return distance == .max ? .max : distance + 1
    }
}

/// A MAC address of 48 bits. Its text is in lower case with colons.
package struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads six pairs of digits, with colons, hyphens or nothing between them. Refuses group addresses and the address
    /// zero.
    package init?(_ text: String) {
        guard text.utf8.count == 12 || text.utf8.count == 17 else { return nil }
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "-") }
        guard let bytes = Hex.bytes(digits), bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 })
        else { return nil }
        self.bytes = bytes
    }

    package var description: String { Hex.text(bytes, between: UInt8(ascii: ":")) }

    /// Returns the address that a guest derives from a router's advertisement: a prefix of 64 bits and the interface
    /// identifier of RFC 4291 appendix A.
    package func address(in prefix: IPPrefix) -> IPAddress {
        let identifier = [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]
        return IPAddress(.v6, prefix.first.value | identifier.reduce(0) { $0 << 8 | UInt128($1) })
    }
}

// MARK: - As text in JSON

extension IPAddress: Codable {
    package init(from decoder: any Decoder) throws { self = try decoder.text("an IP address") { IPAddress($0) } }
    package func encode(to encoder: any Encoder) throws { try encoder.text(description) }
}

extension IPPrefix: Codable, Comparable {
    package init(from decoder: any Decoder) throws { self = try decoder.text("a network") { IPPrefix($0) } }
    package func encode(to encoder: any Encoder) throws { try encoder.text(description) }

    package static func < (left: Self, right: Self) -> Bool { (left.first, left.length) < (right.first, right.length) }
}

extension MACAddress: Codable, Comparable {
    package init(from decoder: any Decoder) throws { self = try decoder.text("a MAC address") { MACAddress($0) } }
    package func encode(to encoder: any Encoder) throws { try encoder.text(description) }

    package static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension Decoder {
    fileprivate func text<Value>(_ noun: String, _ read: (String) -> Value?) throws -> Value {
        let container = try singleValueContainer()
        guard let value = read(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "This is not \(noun).")
        }
        return value
    }
}

extension Encoder {
    fileprivate func text(_ text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}
