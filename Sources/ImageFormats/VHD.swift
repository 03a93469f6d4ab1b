/// Microsoft's virtual hard disk, as in Virtual PC and Azure. Big-endian (Virtual Hard Disk Image Format Specification
/// 1.0).
///
/// A fixed VHD is the disk with a footer behind it. A dynamic VHD begins with a copy of the footer. A differencing VHD
/// names its parent by a path.
enum VHD: FormatReader {
    private static let length: UInt64 = 512
    private static let (fixed, dynamic): (UInt32, UInt32) = (2, 3)

    private struct Footer: Equatable {
        var kind: UInt32
        var size: UInt64
        var dataOffset: UInt64

        init(_ bytes: Bytes, at: UInt64) throws {
            kind = try bytes.big32(at + 60)
            dataOffset = try bytes.big64(at + 16)
            // Virtual PC and QEMU use the geometry if it gives more than the size does, so the larger one counts.
            let geometry = try UInt64(bytes.big16(at + 56)) * UInt64(bytes.byte(at + 58)) * UInt64(bytes.byte(at + 59)) * 512
            size = try max(bytes.big64(at + 48), geometry)
        }
    }

    static func read(_ image: Material) -> Finding? {
        let atEnd = image.tail.flatMap { tail in place(in: tail) }
        guard image.head.has("conectix", at: 0) else {
            guard let atEnd, let tail = image.tail else { return nil }
            return readFixed(tail, at: atEnd)
        }
        var finding = Finding(.vhd)
        finding.check { finding in
            let front = try Footer(image.head, at: 0)
            finding.virtualSize = front.size
            guard front.kind == dynamic else { throw refusal(front.kind) }
            if let tail = image.tail, let atEnd, try Footer(tail, at: atEnd) != front {
                throw Refusal("footer", "The image's footer contradicts its copy.")
            }
            try checkDynamic(image.head, at: front.dataOffset, size: front.size)
        }
        return finding
    }

    /// Returns the offset of the footer in the end of the file. Old footers are 511 bytes long.
    private static func place(in tail: Bytes) -> UInt64? {
        for length in [length, length - 1] where tail.end >= length && tail.has("conectix", at: tail.end - length) {
            return tail.end - length
        }
        return nil
    }

    private static func readFixed(_ tail: Bytes, at: UInt64) -> Finding {
        var finding = Finding(.vhd)
        finding.isOnlyFooter = true
        finding.check { finding in
            let footer = try Footer(tail, at: at)
            finding.virtualSize = footer.size
            guard footer.kind == fixed else { throw refusal(footer.kind) }
            guard try tail.big64(at + 48) <= at else { throw Refusal.truncated }
        }
        return finding
    }

    /// Checks the dynamic header with its table of blocks, by which a reader allocates memory.
    private static func checkDynamic(_ head: Bytes, at: UInt64, size: UInt64) throws {
        guard head.has("cxsparse", at: at) else {
            throw Refusal("header", "The image's dynamic header is not where it should be.")
        }
        let (entries, block) = (UInt64(try head.big32(at + 28)), UInt64(try head.big32(at + 32)))
        guard block.nonzeroBitCount == 1, (512...(256 << 20)).contains(block), entries <= 1 << 24, entries * block >= size else {
            throw Refusal("header", "The image's table of blocks has an impossible size.")
        }
        guard try head.isZero(at + 40, 16), try head.isZero(at + 576, 24 * 8) else {
            throw Refusal("backing_file", "The image names a parent.")
        }
    }

    private static func refusal(_ kind: UInt32) -> Refusal {
        kind == 4
            ? Refusal("backing_file", "The image keeps only its differences from a parent.")
            : Refusal("subformat", "The image's kind of VHD is not supported.")
    }
}
