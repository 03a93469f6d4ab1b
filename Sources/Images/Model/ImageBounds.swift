import CloudCore

/// How much a caller may write on one image.
enum ImageBounds {
    static let mostProperties = 128
    /// Bytes of the names and values of one image's properties together, as an answer has them. Every list that has the image carries
    /// them.
    static let mostPropertyBytes = 256 << 10
    /// Bytes of properties and tags at which a page ends early, and how many images are read before the next look at them. So no page
    /// has more than some 24 MB: 8 MiB, and 32 images of at most 256 KiB of properties and 128 tags.
    static let pageBytes = 8 << 20
    static let imagesAtOnce = 32

    /// Returns how many bytes the text has in JSON, where a control character is written with six.
    static func bytes(of text: String) -> Int {
        text.utf8.reduce(0) { count, byte in
            switch byte {
            case 0..<0x20: count + 6
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): count + 2
            default: count + 1
            }
        }
    }
}

extension Image {
    /// Refuses more properties, or longer ones, than an image may have, unless it had as many already.
    ///
    /// - Parameter before: nil for an image that is new.
    func requireBoundedProperties(before: Image?) throws(CloudError) {
        guard properties.count <= max(ImageBounds.mostProperties, before?.properties.count ?? 0) else {
            throw CloudError(.tooLarge, "The image would have \(properties.count) properties; \(ImageBounds.mostProperties) are allowed.")
        }
        let bytes = propertyBytes
        guard bytes <= max(ImageBounds.mostPropertyBytes, before?.propertyBytes ?? 0) else {
            throw CloudError(
                .tooLarge, "The image's properties would have \(bytes) bytes; \(ImageBounds.mostPropertyBytes) are allowed.")
        }
    }

    private var propertyBytes: Int {
        properties.members.reduce(0) { $0 + ImageBounds.bytes(of: $1.key) + ImageBounds.bytes(of: $1.value.string ?? "") }
    }

    /// Bytes of all that callers wrote on the image without a bound of a few words.
    var writtenBytes: Int { propertyBytes + tags.reduce(0) { $0 + ImageBounds.bytes(of: $1) } }
}
