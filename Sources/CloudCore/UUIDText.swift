import Crypto

/// UUIDs as text.
package enum UUIDText {
    /// Returns the 8-4-4-4-12 form in lower case of 16 bytes.
    package static func dashed(_ bytes: [UInt8]) -> String {
        var text = Hex.text(bytes)
        // From behind, so that the places before stay where they are.
        for place in [20, 16, 12, 8] { text.insert("-", at: text.utf8.index(text.startIndex, offsetBy: place)) }
        return text
    }

    /// Returns the form with dashes and in lower case of a UUID with or without dashes, braces and its URN's prefix (as
    /// oslo.utils reads one); nil for anything else.
    package static func normal(_ text: String) -> String? {
        let digits = text.lowercased().replacing("urn:", with: "").replacing("uuid:", with: "")
            .filter { $0 != "-" && $0 != "{" && $0 != "}" }
        guard digits.utf8.count == 32, let bytes = Hex.bytes(digits) else { return nil }
        return dashed(bytes)
    }

    /// Returns a version 5 UUID (RFC 9562): the same name in the same namespace gives the same id, for ever.
    package static func derived(from name: String, in namespace: String) -> String {
        var sha = Insecure.SHA1()
        sha.update(data: Hex.bytes(namespace.filter { $0 != "-" }) ?? Array(namespace.utf8))
        sha.update(data: Array(name.utf8))
        var bytes = Array(sha.finalize().prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x50
        bytes[8] = bytes[8] & 0x3f | 0x80
        return dashed(bytes)
    }
}
