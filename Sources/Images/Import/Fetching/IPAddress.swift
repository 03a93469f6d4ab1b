import Foundation

/// An address of either family.
struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16, in network order.
    let bytes: [UInt8]

    /// Nil for any other number of bytes.
    init?(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// The strict forms alone: four decimal numbers without leading zeros, or IPv6 without a zone. `127.1` and
    /// `0x7f000001`, which resolvers take for addresses as well, are none.
    init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = withUnsafeBytes(of: v4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = withUnsafeBytes(of: v6) { Array($0) }
        } else {
            return nil
        }
    }

    var isIPv4: Bool { bytes.count == 4 }

    /// The canonical text (RFC 5952 for IPv6).
    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv4 ? AF_INET : AF_INET6
        return bytes.withUnsafeBytes { source in
            guard inet_ntop(family, source.baseAddress, &text, socklen_t(text.count)) != nil else { return "" }
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// The IPv4 address that packets to this one end at, where it only carries one: mapped (`::ffff:0:0/96`), translated
    /// (NAT64, `64:ff9b::/96`) or tunnelled (6to4, `2002::/16`).
    var carried: IPAddress? {
        if Self.mapped.contains(self) || Self.translated.contains(self) { return IPAddress(bytes: bytes[12..<16]) }
        if Self.tunnelled.contains(self) { return IPAddress(bytes: bytes[2..<6]) }
        return nil
    }

    private static let mapped = IPNetwork(bytes: [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 0, 0, 0, 0], length: 96)
    private static let translated = IPNetwork(bytes: [0, 0x64, 0xff, 0x9b] + [UInt8](repeating: 0, count: 12), length: 96)
    private static let tunnelled = IPNetwork(bytes: [0x20, 0x02] + [UInt8](repeating: 0, count: 14), length: 16)
}

/// Addresses that begin with the same bits.
struct IPNetwork: Hashable, Sendable {
    private let bytes: [UInt8]
    private let length: Int

    fileprivate init(bytes: [UInt8], length: Int) {
        self.bytes = bytes
        self.length = length
    }

    /// `10.0.0.0/8`, or an address for that one alone. Nil for anything else, also when bits behind the length are set.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        let all = address.bytes.count * 8
        guard let length = parts.count == 1 ? all : Int(parts[1]), (0...all).contains(length) else { return nil }
        self.init(bytes: address.bytes, length: length)
        for bit in length..<all where address.bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == bytes.count else { return false }
        let whole = length / 8
        guard address.bytes[..<whole] == bytes[..<whole] else { return false }
        let rest = length % 8
        return rest == 0 || (address.bytes[whole] ^ bytes[whole]) & ~(0xff >> UInt8(rest)) == 0
    }
}

// MARK: - Which addresses belong to somebody else

extension IPAddress {
    /// Whether it is the address of some host of the Internet, as far as its bits tell: what IANA's registries of special
    /// purpose addresses (RFC 6890 and its updates) reserve is none, and of IPv6 only what is handed out (2000::/3) is.
    var isPublic: Bool {
        if let carried { return carried.isPublic }
        let special = isIPv4 ? Self.specialIPv4 : Self.specialIPv6
        if !isIPv4, !Self.handedOut.contains(self) { return false }
        return !special.contains { $0.contains(self) }
    }

    /// Whether no single host answers there, so that nobody can have a reason to list it.
    var isNoHost: Bool {
        if let carried { return carried.isNoHost }
        return (isIPv4 ? Self.nobodyIPv4 : Self.nobodyIPv6).contains { $0.contains(self) }
    }

    private static func networks(_ texts: String...) -> [IPNetwork] { texts.compactMap(IPNetwork.init) }

    private static let handedOut = IPNetwork(bytes: [0x20] + [UInt8](repeating: 0, count: 15), length: 3)
    private static let specialIPv4 = networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4")
    private static let specialIPv6 = networks("2001::/23", "2001:db8::/32", "3fff::/20")
    private static let nobodyIPv4 = networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")
    private static let nobodyIPv6 = networks("::/128", "ff00::/8")
}
