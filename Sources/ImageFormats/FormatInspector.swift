/// An inspector that finds the format of an image while its bytes stream by. It gets all bytes in order, keeps at most
/// some 400 KiB of them, and copies no more than that.
///
/// No content makes it trap, loop or grow: it stands between the bytes of strangers and all code that opens images.
package struct FormatInspector: Sendable {
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var position: UInt64 = 0
    private var metadata: VHDXMetadata?

    /// The inspection so far; nil until the beginning is complete. Formats that are known only by a footer are found
    /// only at the end.
    ///
    /// An upload need not be read further if this refuses it, or if its virtual size is too large. But nothing may open
    /// the image before the result of `finish`.
    package private(set) var early: Inspection?

    package init() {}

    /// Whether the beginning is complete. From here on the stream costs only a copy of its last bytes, apart from the
    /// metadata of a VHDX.
    private var isHeadComplete: Bool { head.count == Limits.head }

    package mutating func inspect(_ chunk: UnsafeRawBufferPointer) {
        var rest = chunk[...]
        while !rest.isEmpty {
            let count = Int(min(UInt64(rest.count), nextBoundary - position))
            feed(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
    }

    package mutating func inspect(_ chunk: [UInt8]) { chunk.withUnsafeBytes { inspect($0) } }

    /// Returns the inspection of the whole image. No bytes may be fed afterwards.
    package mutating func finish() -> Inspection {
        let tail = Bytes(tail, at: position - UInt64(tail.count))
        let all = Inspection(
            Self.findings(Material(head: Bytes(head), tail: tail, metadata: metadata)), size: position, isFinished: true)
        early = all
        return all
    }

    /// The number of bytes that are kept.
    var kept: Int { head.count + tail.count + (metadata?.kept ?? 0) }

    /// The offset up to which one piece can be fed without a decision in between.
    private var nextBoundary: UInt64 {
        if !isHeadComplete { return UInt64(Limits.head) }
        return metadata?.nextBoundary(after: position) ?? .max
    }

    private mutating func feed(_ piece: UnsafeRawBufferPointer) {
        let wasHeadComplete = isHeadComplete
        if !isHeadComplete { head.append(contentsOf: piece.prefix(Limits.head - head.count)) }
        let knewMore = metadata?.take(piece, at: position) ?? false
        keepTail(piece)
        position += UInt64(piece.count)
        if !wasHeadComplete, isHeadComplete { metadata = VHDXMetadata(head: Bytes(head)) }
        if isHeadComplete, !wasHeadComplete || knewMore {
            early = Inspection(
                Self.findings(Material(head: Bytes(head), metadata: metadata)), size: position, isFinished: false)
        }
    }

    private mutating func keepTail(_ piece: UnsafeRawBufferPointer) {
        if piece.count >= Limits.tail {
            tail = Array(piece.suffix(Limits.tail))
        } else {
            tail.append(contentsOf: piece)
            // The tail is not cut each time, so that single bytes from a sender do not each cost a copy of all.
            if tail.count > 4 * Limits.tail { tail.removeFirst(tail.count - Limits.tail) }
        }
    }

    private static var readers: [any FormatReader.Type] {
        [
            QCOW2.self, QED.self, VMDK.self, VHD.self, VHDX.self, VDI.self, Ploop.self, ISO9660.self, PartitionTable.self,
            LUKS.self,
        ]
    }

    private static func findings(_ image: Material) -> [Finding] {
        let findings = readers.compactMap { $0.read(image) }
        guard findings.isEmpty else { return findings }
        return [Finding(.raw, virtualSize: image.size)]
    }
}
