/// Why an image is not taken, though it may be what it was declared as.
package struct Refusal: Error, Hashable, Sendable {
    /// A word for tests and logs, as `backing_file`.
    package let check: String
    /// A sentence for who uploads it.
    package let reason: String

    init(_ check: String, _ reason: String) {
        self.check = check
        self.reason = reason
    }

    static let truncated = Refusal("truncated", "The image ends before its headers do.")
    static let tooLarge = Refusal("virtual_size", "The image declares a disk of an impossible size.")
}

/// What one reader says about an image of its format.
struct Finding: Sendable {
    var format: DiskFormat
    /// Bytes of the disk as a guest would see it; nil while that is not known.
    var virtualSize: UInt64?
    var refusals: [Refusal] = []
    /// Whether this says something of the content of a file that is flat but for a footer, which is thus no second opinion.
    var isOnlyFooter = false

    init(_ format: DiskFormat, virtualSize: UInt64? = nil) {
        self.format = format
        self.virtualSize = virtualSize
    }

    /// Runs checks that may refuse, and that fail by reading outside of what there is.
    mutating func check(_ body: (inout Finding) throws -> Void) {
        do {
            try body(&self)
        } catch let refusal as Refusal {
            refusals.append(refusal)
        } catch {
            refusals.append(.truncated)
        }
        // Nothing may count with a size that is no size: drivers have 63 bits.
        if let size = virtualSize, size > Limits.mostVirtual {
            virtualSize = nil
            refusals.append(.tooLarge)
        }
    }
}

/// What was kept of an image for the readers: the same few parts for all of them.
struct Material: Sendable {
    /// The beginning, up to `Limits.head` bytes.
    var head: Bytes
    /// The end, at least `Limits.tail` bytes where there are as many; nil until the end was reached.
    var tail: Bytes?
    /// What a VHDX keeps elsewhere.
    var metadata: VHDXMetadata?

    /// Bytes of the whole file; nil until the end was reached.
    var size: UInt64? { tail?.end }
}

/// Recognises one format and says whether such an image is safe to hand to what opens it.
///
/// A reader is a pure function of what was kept. It is asked once the beginning is there, and again at the end.
protocol FormatReader {
    /// Nil when the bytes are not of this format.
    static func read(_ image: Material) -> Finding?
}

enum Limits {
    /// The longest beginning that any format needs: VHDX's second region table ends here. VMDK's descriptor must lie within.
    static let head = 320 << 10
    /// The longest end: VMDK's marker, footer and end of stream.
    static let tail = 1536
    /// Nobody has a disk of 1 EiB; QEMU's own limit is 8.
    static let mostVirtual: UInt64 = 1 << 60
}
