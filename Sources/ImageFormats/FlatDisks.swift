/// The file systems of optical discs: ISO 9660 and UDF. Their descriptors begin at 32 KiB, behind room for boot code.
enum ISO9660: FormatReader {
    private static let sector: UInt64 = 2048
    private static let first: UInt64 = 16

    static func read(_ image: Material) -> Finding? {
        guard isOne(image.head) else { return nil }
        var finding = Finding(.iso)
        finding.check { finding in
            // A guest gets the whole file, even if the volume in it is smaller.
            finding.virtualSize = image.size
            guard image.head.has("CD001", at: first * sector + 1), try image.head.byte(first * sector) == 1 else { return }
            let volume =
                UInt64(try image.head.little32(first * sector + 80)) * UInt64(try image.head.little16(first * sector + 128))
            finding.virtualSize = image.size.map { max($0, volume) } ?? volume
        }
        return finding
    }

    /// Returns whether the first place holds a volume descriptor. A disc with UDF alone has an extended area there,
    /// with its own mark inside.
    private static func isOne(_ head: Bytes) -> Bool {
        func has(_ mark: StaticString, _ number: UInt64) -> Bool { head.has(mark, at: number * sector + 1) }
        if has("CD001", first) || has("NSR02", first) || has("NSR03", first) { return true }
        return has("BEA01", first) && (first + 1...first + 16).contains { has("NSR02", $0) || has("NSR03", $0) }
    }
}

/// A disk with partitions: GPT (UEFI specification 2.10, chapter 5) and the older MBR, which also protects a GPT.
enum PartitionTable: FormatReader {
    private static let protective: UInt8 = 0xee

    private struct Entry {
        var isBootable: UInt8
        var kind: UInt8
        var first: UInt32
        var count: UInt32
    }

    static func read(_ image: Material) -> Finding? {
        let head = image.head
        guard head.has([0x55, 0xaa], at: 510), !isFileSystem(head), let entries = try? entries(head) else { return nil }
        let used = entries.filter { $0.kind != 0 }
        // Other boot sectors, and kernels, have the same signature but no plausible table.
        let isPlausible =
            !used.isEmpty && entries.allSatisfy { $0.isBootable == 0 || $0.isBootable == 0x80 }
            && used.allSatisfy { $0.count > 0 }
        guard isPlausible else { return nil }
        var finding = Finding(.gpt, virtualSize: image.size)
        if used.contains(where: { $0.kind == protective }) {
            finding.check { _ in
                guard used.count == 1, entries[0].kind == protective, entries[0].first == 1 else {
                    throw Refusal("mbr", "The image's protective partition is not the only one.")
                }
                try checkHeader(head)
            }
        }
        return finding
    }

    private static func entries(_ head: Bytes) throws -> [Entry] {
        try (0..<4).map { index in
            let at = UInt64(446 + index * 16)
            return Entry(
                isBootable: try head.byte(at), kind: try head.byte(at + 4), first: try head.little32(at + 8),
                count: try head.little32(at + 12))
        }
    }

    /// Returns whether the bytes are a file system. FAT, NTFS and exFAT begin with what looks like an MBR.
    private static func isFileSystem(_ head: Bytes) -> Bool {
        if head.has("NTFS    ", at: 3) || head.has("EXFAT   ", at: 3) { return true }
        return (try? head.byte(16)) == 2 && (try? head.byte(21)) == 0xf8
    }

    /// Checks the header of a GPT. It is in the second sector, and sectors have 512 or 4096 bytes.
    private static func checkHeader(_ head: Bytes) throws {
        guard let at = [UInt64(512), 4096].first(where: { head.has("EFI PART", at: $0) }) else {
            throw Refusal("gpt", "The image protects a partition table that is not there.")
        }
        let (length, entries, size) = (try head.little32(at + 12), try head.little32(at + 80), try head.little32(at + 84))
        guard (92...4096).contains(length), entries <= 4096, size >= 128, size <= 4096, size.nonzeroBitCount == 1 else {
            throw Refusal("gpt", "The image's partition table has an impossible size.")
        }
    }
}
