/// The name of bytes that is made of them: the 128 lower case hexadecimal digits of their SHA-512. The data of images
/// has such names in stores and on hosts. No other text is one, so none can become a path.
package struct ContentID: Hashable, Sendable, Codable, CustomStringConvertible, LosslessStringConvertible {
    package let text: String

    /// Returns nil for any other text.
    package init?(_ text: String) {
        guard text.utf8.count == 128, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no SHA-512: \(text)"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}
