import CloudCore

/// The limits of what a caller may write on one image.
enum ImageBounds {
    static let mostProperties = 128
    /// The most bytes of the names and values of one image's properties together, as JSON has them. Every list with the
    /// image carries them.
    static let mostPropertyBytes = 256 << 10
    /// The bytes of properties and tags at which a page ends early. It is checked after every `imagesAtOnce` images, so
    /// no page has more than some 24 MB: 8 MiB, and 32 images with at most 256 KiB of properties and 128 tags each.
    static let pageBytes = 8 << 20
    static let imagesAtOnce = 32

    /// Returns the number of bytes of a text in JSON, where a control character takes six.
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
    /// Checks that the image has no more and no longer properties than it may have, unless it had as many before.
    ///
    /// - Parameter before: the image before the change; nil for a new image.
    /// - Throws: `tooLarge`.
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

    /// The bytes of the properties and tags of the image: all that callers write on it in large amounts.
    var writtenBytes: Int { propertyBytes + tags.reduce(0) { $0 + ImageBounds.bytes(of: $1) } }
}
