/// Hexadecimal text.
package enum Hex {
    /// Two lower case digits a byte.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        return String(unsafeUninitializedCapacity: 2 * bytes.count) { out in
            for (at, byte) in bytes.enumerated() {
                out[2 * at] = digit(byte >> 4)
                out[2 * at + 1] = digit(byte & 15)
            }
            return 2 * bytes.count
        }
    }

    /// Two lower case digits a byte, with a separator between the bytes.
    static func text(_ bytes: [UInt8], between separator: UInt8) -> String {
        let length = max(3 * bytes.count - 1, 0)
        return String(unsafeUninitializedCapacity: length) { out in
            for (at, byte) in bytes.enumerated() {
                if at > 0 { out[3 * at - 1] = separator }
                out[3 * at] = digit(byte >> 4)
                out[3 * at + 1] = digit(byte & 15)
            }
            return length
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// The bytes of a text of hexadecimal digits in either case; nil for anything else.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? { bytes(Array(text.utf8)) }

    /// The bytes of hexadecimal digits in either case; nil for anything else.
    static func bytes(_ utf8: [UInt8]) -> [UInt8]? {
        guard utf8.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(utf8.count / 2)
        for at in stride(from: 0, to: utf8.count, by: 2) {
            guard let high = value(utf8[at]), let low = value(utf8[at + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
}
