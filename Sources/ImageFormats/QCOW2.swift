/// QEMU's copy-on-write format, versions 2 and 3. Big-endian (QEMU's `docs/interop/qcow2.rst`).
///
/// A header may name two other files, a backing file and a data file, and a program that opens the image would open
/// them as well. Both were security holes through which images read the host's files.
enum QCOW2: FormatReader {
    private static let dataFile: UInt64 = 1 << 2
    /// The bits of known incompatible features: dirty, corrupt and another compression. Higher bits were unknown when
    /// these rules were written.
    private static let known: UInt64 = 0b1011
    private static let corrupt: UInt64 = 1 << 1
    private static let dataFileName: UInt32 = 0x4441_5441

    static func read(_ image: Material) -> Finding? {
        guard image.head.has([0x51, 0x46, 0x49, 0xfb], at: 0) else { return nil }
        var finding = Finding(.qcow2)
        finding.check { finding in
            let version = try image.head.big32(4)
            guard version == 2 || version == 3 else {
                throw Refusal("version", "The image is qcow version \(version); 2 and 3 are supported.")
            }
            finding.virtualSize = try image.head.big64(24)
            guard try image.head.big64(8) == 0, try image.head.big32(16) == 0 else {
                throw Refusal("backing_file", "The image has a backing file.")
            }
        }
        guard finding.refusals.isEmpty else { return finding }
        finding.check { _ in try checkFeatures(image.head) }
        finding.check { _ in try checkTables(image) }
        finding.check { _ in try checkExtensions(image.head) }
        return finding
    }

    private static func checkFeatures(_ head: Bytes) throws {
        guard try head.big32(32) == 0 else { throw Refusal("encrypted", "The image is encrypted within.") }
        guard try head.big32(4) == 3 else { return }
        let features = try head.big64(72)
        if features & dataFile != 0 { throw Refusal("data_file", "The image keeps its data in another file.") }
        if features & ~known != 0 { throw Refusal("unknown_features", "The image needs features that are not supported.") }
        if features & corrupt != 0 { throw Refusal("corrupt", "The image is marked as damaged.") }
        guard try (104...4096).contains(head.big32(100)), try head.big32(100).isMultiple(of: 8) else {
            throw Refusal("header", "The image's header has an impossible length.")
        }
        guard try head.big32(96) <= 6 else { throw Refusal("header", "The image's reference counts have an impossible width.") }
    }

    /// Checks the sizes that a reader of the image would allocate, against QEMU's own bounds (`block/qcow2.h`).
    private static func checkTables(_ image: Material) throws {
        let head = image.head
        let bits = try head.big32(20)
        guard (9...21).contains(bits) else { throw Refusal("header", "The image has clusters of an impossible size.") }
        let cluster = UInt64(1) << UInt64(bits)
        let (entries, table) = (UInt64(try head.big32(36)), try head.big64(40))
        // An entry of the first table leads to a cluster of eight-byte entries, each of which leads to a cluster of
        // data.
        let needed = (try head.big64(24).dividedRoundingUp(by: cluster * (cluster / 8)))
        guard entries >= needed, entries * 8 <= 32 << 20, isPlaced(table, entries * 8, cluster) else {
            throw Refusal("l1_table", "The image's first table has an impossible size or place.")
        }
        let (references, count) = (try head.big64(48), UInt64(try head.big32(56)))
        guard count > 0, count * cluster <= 8 << 20, isPlaced(references, count * cluster, cluster), references > 0 else {
            throw Refusal("refcount_table", "The image's table of reference counts has an impossible size or place.")
        }
        guard try head.big32(60) <= 65536, try head.big32(60) == 0 || isPlaced(head.big64(64), 0, cluster) else {
            throw Refusal("snapshots", "The image's list of snapshots has an impossible size or place.")
        }
        if let size = image.size, table + entries * 8 > size || references >= size { throw Refusal.truncated }
    }

    private static func isPlaced(_ offset: UInt64, _ count: UInt64, _ cluster: UInt64) -> Bool {
        offset.isMultiple(of: cluster) && offset <= Limits.mostVirtual && count <= Limits.mostVirtual
    }

    /// Checks the extensions, which follow the header within the first cluster. The name of a data file is refused even
    /// if the feature bit is not set.
    private static func checkExtensions(_ head: Bytes) throws {
        let bits = try head.big32(20)
        guard (9...21).contains(bits) else { return }
        let end = min(UInt64(1) << UInt64(bits), UInt64(Limits.head))
        var at = try head.big32(4) == 3 ? UInt64(head.big32(100)) : 72
        // QEMU treats a file that ends before the extensions as a file without any.
        while at + 8 <= end, at + 8 <= head.end {
            let (kind, length) = (try head.big32(at), UInt64(try head.big32(at + 4)))
            if kind == 0 { return }
            if kind == dataFileName { throw Refusal("data_file", "The image names another file for its data.") }
            guard length <= end - at - 8 else { throw Refusal("extensions", "The image's header extensions do not end.") }
            at += 8 + (length + 7) / 8 * 8
        }
    }
}

/// QEMU's enhanced disk, abandoned long ago. It may have a backing file, so it is recognised in order to be refused.
enum QED: FormatReader {
    static func read(_ image: Material) -> Finding? {
        guard image.head.has("QED\0", at: 0) else { return nil }
        var finding = Finding(.qed)
        finding.refusals = [Refusal("banned", "Images of the format qed are not supported.")]
        return finding
    }
}

extension UInt64 {
    func dividedRoundingUp(by other: UInt64) -> UInt64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: other)
        return remainder == 0 ? quotient : quotient + 1
    }
}
