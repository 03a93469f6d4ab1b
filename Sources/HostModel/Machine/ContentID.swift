/// The bytes of an image, named by what they are: 128 lower case hexadecimal digits of their SHA-512, as `BlobID` of Blobs has it.
package struct ContentID: Hashable, Sendable, Codable, CustomStringConvertible {
    package let text: String

    /// Nil for anything else, so that no other text becomes a path.
    package init?(_ text: String) {
        guard text.utf8.count == 128, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = Self(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no SHA-512: \(text)"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }
}
