/// VirtualBox's disk. Little-endian; the header's fields are those of QEMU's `block/vdi.c`.
enum VDI: FormatReader {
    static func read(_ image: Material) -> Finding? {
        guard (try? image.head.little32(64)) == 0xbeda_107f else { return nil }
        var finding = Finding(.vdi)
        finding.check { finding in
            let head = image.head
            finding.virtualSize = try head.little64(368)
            guard try head.little32(68) == 0x0001_0001 else {
                throw Refusal("version", "The image's VDI version is not supported.")
            }
            // Types 1 and 2 are dynamic and fixed. The others hold only the changes since a parent.
            guard try [1, 2].contains(head.little32(76)), try head.isZero(424, 32) else {
                throw Refusal("backing_file", "The image keeps only its differences from a parent.")
            }
            let (block, blocks) = (UInt64(try head.little32(376)), UInt64(try head.little32(384)))
            guard block.nonzeroBitCount == 1, (4096...(64 << 20)).contains(block), blocks <= 1 << 29,
                try head.little64(368) <= block * blocks, try head.little32(388) <= blocks
            else { throw Refusal("header", "The image's map of blocks has an impossible size.") }
            let (map, data) = (UInt64(try head.little32(340)), UInt64(try head.little32(344)))
            guard map >= 512, map + blocks * 4 <= data else {
                throw Refusal("header", "The image's map of blocks has an impossible place.")
            }
            if let size = image.size, data > size { throw Refusal.truncated }
        }
        return finding
    }
}

/// Parallels' and Virtuozzo's expanding disk, in both versions. Little-endian. The format cannot name another file.
enum Ploop: FormatReader {
    static func read(_ image: Material) -> Finding? {
        guard image.head.has("WithoutFreeSpace", at: 0) || image.head.has("WithouFreSpacExt", at: 0) else { return nil }
        var finding = Finding(.ploop)
        finding.check { finding in
            let sectors = try image.head.little64(36)
            // The old version has 32 bits for the size, and something else behind them.
            let isOld = image.head.has("WithoutFreeSpace", at: 0)
            guard isOld || sectors <= Limits.mostVirtual / 512 else { throw Refusal.tooLarge }
            finding.virtualSize = (isOld ? sectors & 0xffff_ffff : sectors) * 512
        }
        return finding
    }
}

/// Linux' encrypted disk, version 1. Big-endian. The content cannot be seen, so the disk may be anything.
enum LUKS: FormatReader {
    static func read(_ image: Material) -> Finding? {
        guard image.head.has([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], at: 0) else { return nil }
        var finding = Finding(.luks)
        finding.check { finding in
            guard try image.head.big16(6) == 1 else { throw Refusal("version", "Only version 1 of LUKS is supported.") }
            let payload = UInt64(try image.head.big32(104)) * 512
            guard try (1...512).contains(image.head.big32(108)) else {
                throw Refusal("header", "The image's key has an impossible length.")
            }
            guard let size = image.size else { return }
            guard payload >= 592, payload <= size else { throw Refusal.truncated }
            finding.virtualSize = size - payload
        }
        return finding
    }
}
