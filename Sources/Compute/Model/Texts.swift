import CloudCore

/// Base64 in its standard alphabet, with padding (RFC 4648 section 4).
enum Base64 {
    /// Nil for what is none. Line breaks are passed over, as in what tools write.
    static func decode(_ text: String) -> [UInt8]? {
        var letters = text.utf8.filter { $0 != 0x0a && $0 != 0x0d }
        guard letters.count.isMultiple(of: 4) else { return nil }
        var padding = 0
        while padding < 2, letters.last == UInt8(ascii: "=") {
            letters.removeLast()
            padding += 1
        }
        let urlSafe = letters.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
        guard !letters.contains(UInt8(ascii: "-")), !letters.contains(UInt8(ascii: "_")) else { return nil }
        return Base64URL.decode(String(decoding: urlSafe, as: UTF8.self))
    }

    static func encode(_ bytes: some Collection<UInt8>) -> String {
        let text = Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
        return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    }
}

/// Addresses as text.
enum IPAddress {
    static func isV4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } && (Int(part) ?? 256) < 256
                    && (part.count == 1 || part.first != "0")
            }
    }

    /// RFC 4291 section 2.2.
    static func isV6(_ text: String) -> Bool {
        let halves = text.components("::")
        guard halves.count <= 2 else { return false }
        var count = 0
        for (number, half) in halves.enumerated() where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, group) in groups.enumerated() {
                if group.contains(".") {
                    guard number == halves.count - 1, place == groups.count - 1, isV4(String(group)) else { return false }
                    count += 2
                } else {
                    guard (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit) else { return false }
                    count += 1
                }
            }
        }
        return halves.count == 2 ? count < 8 : count == 8
    }
}

extension String {
    /// The parts between a separator, empty ones among them.
    fileprivate func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
