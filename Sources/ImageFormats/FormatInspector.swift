/// Finds out what an image is while it streams by. It is fed all bytes in their order, keeps some 400 KiB of them at most, and
/// copies none beyond that.
///
/// No content makes it trap, loop or grow: it is what stands between a stranger's bytes and everything that opens images.
package struct FormatInspector: Sendable {
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var position: UInt64 = 0
    private var metadata: VHDXMetadata?

    /// What is known already; nil until the beginning was seen. The formats with a footer alone are found only at the end.
    ///
    /// An upload that this refuses, or whose virtual size is beyond what is allowed, need not be read on. But nothing may
    /// open the image before `finish` has been asked.
    package private(set) var early: Inspection?

    package init() {}

    /// The beginning is complete and every size that the format declares was seen: what the stream costs from here on is
    /// a copy of its last bytes.
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

    /// What the whole image is. Nothing may be fed afterwards.
    package mutating func finish() -> Inspection {
        let tail = Bytes(tail, at: position - UInt64(tail.count))
        let all = Inspection(
            Self.findings(Material(head: Bytes(head), tail: tail, metadata: metadata)), size: position, isFinished: true)
        early = all
        return all
    }

    /// Bytes that are held.
    var kept: Int { head.count + tail.count + (metadata?.kept ?? 0) }

    /// Up to where one piece can be fed without a decision in between.
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
            // Not each time: a sender of single bytes must not make each cost a copy of all.
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
