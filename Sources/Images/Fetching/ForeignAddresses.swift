import CloudCore

/// The tests for addresses that belong to others.
extension IPAddress {
    /// The IPv4 address that packets to this address end at, if it only carries one: mapped (`::ffff:0:0/96`),
    /// translated (NAT64, `64:ff9b::/96`) or tunnelled (6to4, `2002::/16`).
    var carried: IPAddress? {
        if isIn(Self.mapped) || isIn(Self.translated) { return Self(.v4, value) }
        if isIn(Self.tunnelled) { return Self(.v4, value >> 80) }
        return nil
    }

    /// Whether the address can be that of a host on the Internet. Addresses that IANA's registries of special purpose
    /// addresses (RFC 6890 and its updates) reserve are not, and of IPv6 only those that are handed out (2000::/3) are.
    var isPublic: Bool {
        if let carried { return carried.isPublic }
        let special = version == .v4 ? Self.specialIPv4 : Self.specialIPv6
        if version == .v6, !isIn(Self.handedOut) { return false }
        return !isIn(special)
    }

    /// Whether no single host can answer at the address, so that there is no reason to list it.
    var isNoHost: Bool {
        if let carried { return carried.isNoHost }
        return isIn(version == .v4 ? Self.nobodyIPv4 : Self.nobodyIPv6)
    }

    private func isIn(_ networks: [IPPrefix]) -> Bool { networks.contains { $0.contains(self) } }

    private static func networks(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }

    private static let mapped = networks("::ffff:0:0/96")
    private static let translated = networks("64:ff9b::/96")
    private static let tunnelled = networks("2002::/16")
    private static let handedOut = networks("2000::/3")
    private static let specialIPv4 = networks(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4")
    private static let specialIPv6 = networks("2001::/23", "2001:db8::/32", "3fff::/20")
    private static let nobodyIPv4 = networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")
    private static let nobodyIPv6 = networks("::/128", "ff00::/8")
}
