/// Microsoft's second virtual hard disk. Little-endian ([MS-VHDX]).
///
/// Its description is found in three steps: two region tables near the beginning give the place of the metadata table,
/// and that table gives the places of the items.
enum VHDX: FormatReader {
    static func read(_ image: Material) -> Finding? {
        guard image.head.has("vhdxfile", at: 0) else { return nil }
        var finding = Finding(.vhdx)
        finding.check { _ in try checkLog(image.head) }
        finding.check { finding in
            let place = try metadata(image.head)
            guard let metadata = image.metadata else { throw Refusal.truncated }
            guard metadata.start == place else { throw Refusal("regions", "The image's metadata cannot be found.") }
            if let refusal = metadata.refusal { throw refusal }
            guard let size = metadata.size, let flags = metadata.flags else {
                // The metadata is still to come, unless this is the end.
                if image.tail != nil { throw Refusal.truncated }
                return
            }
            finding.virtualSize = size
            if flags & 2 != 0 { throw Refusal("backing_file", "The image keeps only its differences from a parent.") }
        }
        return finding
    }

    /// Checks that the log is empty. A log that was not applied yet could change everything that was checked, once the
    /// image is opened.
    private static func checkLog(_ head: Bytes) throws {
        var newest: (sequence: UInt64, hasLog: Bool)?
        for at in [UInt64(64 << 10), 128 << 10] where head.has("head", at: at) {
            guard try isWhole(head, at, 4096) else { continue }
            let found = (sequence: try head.little64(at + 8), hasLog: try !head.isZero(at + 48, 16))
            if newest.map({ found.sequence > $0.sequence || (found.sequence == $0.sequence && found.hasLog) }) ?? true {
                newest = found
            }
        }
        guard let newest else { throw Refusal("header", "The image has no valid header.") }
        if newest.hasLog { throw Refusal("log", "The image was not closed: its log has changes that were not made yet.") }
    }

    /// Returns the offset of the metadata region. If both region tables are valid, they must agree.
    static func metadata(_ head: Bytes) throws -> UInt64 {
        var places: Set<UInt64> = []
        for at in [UInt64(192 << 10), 256 << 10] where head.has("regi", at: at) {
            guard try isWhole(head, at, 64 << 10) else { continue }
            let count = UInt64(try head.little32(at + 8))
            guard count <= 2047 else { throw Refusal("regions", "The image has too many regions.") }
            for entry in 0..<count where head.has(metadataRegion, at: at + 16 + entry * 32) {
                places.insert(try head.little64(at + 16 + entry * 32 + 16))
            }
        }
        // Both bounds come from the specification: regions are aligned to 1 MiB, and the first MiB belongs to the
        // header.
        guard places.count == 1, let place = places.first, place >= 1 << 20, place.isMultiple(of: 1 << 20),
            place < Limits.mostVirtual
        else {
            throw Refusal("regions", "The image's metadata cannot be found.")
        }
        return place
    }

    /// Returns whether the checksum of a structure is right; it is computed with its own field as zero. Readers ignore
    /// a structure with a wrong checksum.
    private static func isWhole(_ head: Bytes, _ at: UInt64, _ length: Int) throws -> Bool {
        var bytes = Array(try head.slice(at, length))
        bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        return CRC32C.of(bytes) == (try head.little32(at + 4))
    }

    static let metadataRegion = guid("8b7ca206-4790-4b9a-b8fe-575f050f886e")
    static let fileParameters = guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
    static let diskSize = guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8")

    /// Returns the 16 bytes of a GUID as Microsoft stores it: the first three fields are little-endian.
    static func guid(_ text: String) -> [UInt8] {
        let digits = text.filter { $0 != "-" }.compactMap(\.hexDigitValue)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        return [3, 2, 1, 0, 5, 4, 7, 6].map { bytes[$0] } + bytes[8...]
    }
}

/// The metadata of a VHDX, collected while the image streams by: first the table, then the two items that count. The
/// items lie behind the table, so nothing must be read backwards.
struct VHDXMetadata: Sendable {
    /// The offset of the metadata region.
    let start: UInt64
    private(set) var size: UInt64?
    /// The flags of the file parameters. Bit 1: the image has a parent.
    private(set) var flags: UInt32?
    private(set) var refusal: Refusal?
    /// The table while it is collected; nil once it was read.
    private var table: Capture?
    private var sizeItem: Capture?
    private var flagsItem: Capture?

    private static let tableLength: UInt64 = 64 << 10

    /// Some bytes at a known place.
    private struct Capture: Sendable {
        let range: Range<UInt64>
        var bytes: [UInt8] = []

        var isComplete: Bool { bytes.count == range.count }

        /// Takes the part of a piece that lies in the range. The piece begins at `position`; pieces come in order.
        mutating func take(_ piece: UnsafeRawBufferPointer, at position: UInt64) {
            let part = range.clamped(to: position..<(position + UInt64(piece.count)))
            guard !part.isEmpty else { return }
            bytes.append(contentsOf: piece[Int(part.lowerBound - position)..<Int(part.upperBound - position)])
        }
    }

    /// Finds the metadata region. Returns nil if the beginning is not that of a VHDX, or does not say where the region
    /// is.
    init?(head: Bytes) {
        guard head.has("vhdxfile", at: 0), let start = try? VHDX.metadata(head) else { return nil }
        self.start = start
        table = Capture(range: start..<(start + Self.tableLength))
    }

    var kept: Int { [table, sizeItem, flagsItem].reduce(0) { $0 + ($1?.bytes.count ?? 0) } }

    /// Returns the end of the next part that must be read before the rest is fed.
    func nextBoundary(after position: UInt64) -> UInt64 {
        [table, sizeItem, flagsItem].compactMap { $0?.range.upperBound }.filter { $0 > position }.min() ?? .max
    }

    /// Takes a piece of the image. Returns whether it made a new finding possible.
    mutating func take(_ piece: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
        guard refusal == nil, size == nil || flags == nil else { return false }
        if table != nil {
            table?.take(piece, at: position)
            if let table, table.isComplete {
                readTable(Bytes(table.bytes))
                self.table = nil
            }
            return refusal != nil
        }
        sizeItem?.take(piece, at: position)
        flagsItem?.take(piece, at: position)
        if size == nil, let item = sizeItem, item.isComplete { size = try? Bytes(item.bytes).little64(0) }
        if flags == nil, let item = flagsItem, item.isComplete { flags = try? Bytes(item.bytes).little32(4) }
        return size != nil && flags != nil
    }

    private mutating func readTable(_ bytes: Bytes) {
        let wrong = Refusal("metadata", "The image's metadata table is wrong.")
        do {
            let count = UInt64(try bytes.little16(10))
            guard bytes.has("metadata", at: 0), count <= 2047 else { throw wrong }
            for entry in 0..<count {
                let at = 32 + entry * 32
                if bytes.has(VHDX.diskSize, at: at) { sizeItem = try item(bytes, at, 8, sizeItem == nil) }
                if bytes.has(VHDX.fileParameters, at: at) { flagsItem = try item(bytes, at, 8, flagsItem == nil) }
            }
            guard sizeItem != nil, flagsItem != nil else { throw wrong }
        } catch {
            refusal = wrong
        }
    }

    /// Returns the place of an item. Items lie behind the table, within the first MiB of the region, and each exists
    /// only once.
    private func item(_ bytes: Bytes, _ at: UInt64, _ length: UInt64, _ isFirst: Bool) throws -> Capture {
        let (offset, given) = (UInt64(try bytes.little32(at + 16)), UInt64(try bytes.little32(at + 20)))
        guard isFirst, given == length, (Self.tableLength...(1 << 20) - length).contains(offset) else { throw Bytes.Outside() }
        return Capture(range: (start + offset)..<(start + offset + length))
    }
}
