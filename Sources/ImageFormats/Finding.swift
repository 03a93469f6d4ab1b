/// The reason why an image is refused, even if its format is the declared one.
package struct Refusal: Error, Hashable, Sendable {
    /// A word for tests and logs, such as `backing_file`.
    package let check: String
    /// A sentence for the user who uploads the image.
    package let reason: String

    init(_ check: String, _ reason: String) {
        self.check = check
        self.reason = reason
    }

    static let truncated = Refusal("truncated", "The image ends before its headers do.")
    static let tooLarge = Refusal("virtual_size", "The image declares a disk of an impossible size.")
}

/// The result of one reader for an image of its format.
struct Finding: Sendable {
    var format: DiskFormat
    /// The size in bytes of the disk as a guest would see it; nil while it is unknown.
    var virtualSize: UInt64?
    var refusals: [Refusal] = []
    /// Whether the finding rests on a footer alone. The rest of such a file may be any flat disk, so a finding of a
    /// flat format does not contradict it.
    var isOnlyFooter = false

    init(_ format: DiskFormat, virtualSize: UInt64? = nil) {
        self.format = format
        self.virtualSize = virtualSize
    }

    /// Runs checks that may refuse the image. A read outside of the kept parts counts as a truncated image.
    mutating func check(_ body: (inout Finding) throws -> Void) {
        do {
            try body(&self)
        } catch let refusal as Refusal {
            refusals.append(refusal)
        } catch {
            refusals.append(.truncated)
        }
        // An impossible size must not be used in calculations: drivers have 63 bits.
        if let size = virtualSize, size > Limits.mostVirtual {
            virtualSize = nil
            refusals.append(.tooLarge)
        }
    }
}

/// The parts of an image that are kept for the readers: the same few for all of them.
struct Material: Sendable {
    /// The beginning of the image, up to `Limits.head` bytes.
    var head: Bytes
    /// The end of the image, at least `Limits.tail` bytes if it has so many; nil until the end is reached.
    var tail: Bytes?
    /// The metadata of a VHDX, which lies elsewhere in the file.
    var metadata: VHDXMetadata?

    /// The size of the whole file in bytes; nil until the end is reached.
    var size: UInt64? { tail?.end }
}

/// A reader that recognises one format and checks whether such an image is safe to open.
///
/// A reader is a pure function of the kept parts. It runs when the beginning is complete, and again at the end.
protocol FormatReader {
    /// Returns the finding, or nil if the bytes are not of this format.
    static func read(_ image: Material) -> Finding?
}

enum Limits {
    /// The most bytes that any format needs from the beginning: VHDX's second region table ends here. VMDK's descriptor
    /// must lie within.
    static let head = 320 << 10
    /// The most bytes that any format needs from the end: VMDK's marker, footer and end of stream.
    static let tail = 1536
    /// The largest virtual disk: 1 EiB. No real disk has this size; QEMU's own limit is 8 EiB.
    static let mostVirtual: UInt64 = 1 << 60
}
