import CloudCore

/// The limits of what a caller may write on one image.
enum ImageBounds {
    static let mostProperties = Limits.thing.imageProperties.most
    /// The most bytes of the names and values of one image's properties together, as JSON has them. Every list with the
    /// image carries them.
    static let mostPropertyBytes = Limits.thing.imagePropertyBytes.most
    /// The characters of properties and tags that the images of one page may have together. A page has at least one
    /// image.
    static let pageWeight = Limits.list.pageBytes.most
    /// The characters of properties and tags from which on a page is read and written on a thread for long reads.
    static let heavyPage = 64 << 10

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
}
