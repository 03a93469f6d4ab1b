import CloudCore

/// The query of a URL (the part after the `?`), decoded.
package struct Query: Sendable {
    package let raw: String
    package let items: [(name: String, value: String)]

    /// - Throws: `CloudError.badRequest` if the query is not valid UTF-8, is too long, or has too many items or values.
    package init(_ raw: some StringProtocol) throws {
        let (longest, mostItems) = (Limits.request.queryLength.most, Limits.request.queryItems.most)
        guard raw.utf8.count <= longest else { throw Self.tooLarge(longest, "bytes") }
        self.raw = String(raw)
        var items: [(name: String, value: String)] = []
        for part in raw.split(separator: "&", omittingEmptySubsequences: true) {
            guard items.count < mostItems else { throw Self.tooLarge(mostItems, "items") }
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(pair[0]), let value = Self.decode(pair.count > 1 ? pair[1] : "") else {
                throw CloudError.badRequest("The query is not valid percent-encoded UTF-8.")
            }
            try Self.requireFew(value, of: name)
            items.append((name, value))
        }
        self.items = items
    }

    package static let none = try! Query("")  // tidy: allow try!, an empty query has nothing to refuse

    /// Returns the first value of a name.
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    package func has(_ name: String) -> Bool { items.contains { $0.name == name } }

    /// Checks the number of values behind commas in one item. Each becomes a part of a statement or of a search.
    private static func requireFew(_ value: String, of name: String) throws(CloudError) {
        let most = Limits.list.filterValues.most
        let count = value.utf8.reduce(1) { $0 + ($1 == UInt8(ascii: ",") ? 1 : 0) }
        guard count <= most else {
            throw .badRequest("'\(name.prefix(64))' has \(count) values in the query; it may have \(most).")
        }
    }

    private static func tooLarge(_ most: Int, _ things: String) -> CloudError {
        .badRequest("The query has more than \(most) \(things).")
    }

    private static func decode(_ text: some StringProtocol) -> String? { Percent.decode(text, plusIsSpace: true) }
}

/// Percent-encoding (RFC 3986).
package enum Percent {
    /// Decodes a text. Returns nil if a `%` is not followed by two digits, if the bytes are not valid UTF-8, or if one
    /// of them is NUL.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let utf8 = text.utf8
        guard utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 == 0 }) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var at = utf8.startIndex
        while at < utf8.endIndex {
            let byte = utf8[at]
            at = utf8.index(after: at)
            switch byte {
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let end = utf8.index(at, offsetBy: 2, limitedBy: utf8.endIndex),
                    let value = Hex.bytes(String(decoding: utf8[at..<end], as: UTF8.self))?.first, value != 0
                else { return nil }
                bytes.append(value)
                at = end
            case 0: return nil
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes all characters but the unreserved ones, for a segment of a path or a value in a query.
    package static func encode(_ text: String) -> String {
        // The ids in lists' links are almost always plain.
        guard !text.utf8.allSatisfy(isUnreserved) else { return text }
        var out = ""
        for byte in text.utf8 {
            if isUnreserved(byte) {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                out += "%" + Hex.text([byte]).uppercased()
            }
        }
        return out
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
