@testable import ImageFormats

/// A handmade image: small, right in every field that the inspection reads, and easily damaged.
struct Crafted: Sendable {
    var bytes: [UInt8]

    init(count: Int) { bytes = [UInt8](repeating: 0, count: count) }

    func with(_ change: (inout Crafted) -> Void) -> Crafted {
        var copy = self
        change(&copy)
        return copy
    }

    mutating func put(_ part: [UInt8], _ at: Int) { bytes.replaceSubrange(at..<(at + part.count), with: part) }
    mutating func put(_ text: String, _ at: Int) { put(Array(text.utf8), at) }
    mutating func big<Value: FixedWidthInteger>(_ value: Value, _ at: Int) {
        put(withUnsafeBytes(of: value.bigEndian) { Array($0) }, at)
    }
    mutating func little<Value: FixedWidthInteger>(_ value: Value, _ at: Int) {
        put(withUnsafeBytes(of: value.littleEndian) { Array($0) }, at)
    }

    static let mebibyte: UInt64 = 1 << 20

    /// Returns noise without a partition table, as a raw disk may contain.
    static func raw(count: Int = 100_000) -> Crafted {
        Crafted(count: count).with { image in
            for at in image.bytes.indices { image.bytes[at] = UInt8(truncatingIfNeeded: at &* 31 &+ at >> 8) }
        }
    }

    static func qcow2(version: UInt32 = 3, size: UInt64 = 100 * mebibyte) -> Crafted {
        Crafted(count: 4 << 16).with { image in
            image.put([0x51, 0x46, 0x49, 0xfb], 0)
            image.big(version, 4)
            image.big(UInt32(16), 20)
            image.big(size, 24)
            image.big(UInt32((size + (512 << 20) - 1) / (512 << 20)), 36)
            image.big(UInt64(3 << 16), 40)
            image.big(UInt64(1 << 16), 48)
            image.big(UInt32(1), 56)
            if version == 3 {
                image.big(UInt32(4), 96)
                image.big(UInt32(104), 100)
            }
        }
    }

    static let descriptor = """
        # Disk DescriptorFile
        version=1
        CID=e781122b
        parentCID=ffffffff
        createType="monolithicSparse"

        # Extent description
        RW 204800 SPARSE "disk.vmdk"

        # The Disk Data Base
        #DDB

        ddb.virtualHWVersion = "4"
        ddb.adapterType = "ide"

        """

    static func vmdk(_ descriptor: String = descriptor, sectors: UInt64 = 204_800) -> Crafted {
        Crafted(count: 65536).with { image in
            sparseHeader(&image, 0, sectors, directory: 21)
            image.put(descriptor, 512)
        }
    }

    /// Returns a stream-optimized VMDK: its footer has the place of the grain directory.
    static func stream(sectors: UInt64 = 204_800) -> Crafted {
        let text = descriptor.replacing("monolithicSparse", with: "streamOptimized")
        return vmdk(text, sectors: sectors).with { image in
            image.little(UInt64.max, 56)
            let marker = image.bytes.count - 1536
            image.little(UInt64(1), marker)
            image.little(UInt32(3), marker + 12)
            sparseHeader(&image, marker + 512, sectors, directory: 21)
        }
    }

    private static func sparseHeader(_ image: inout Crafted, _ at: Int, _ sectors: UInt64, directory: UInt64) {
        image.put("KDMV", at)
        image.little(UInt32(1), at + 4)
        image.little(UInt32(3), at + 8)
        image.little(sectors, at + 12)
        image.little(UInt64(128), at + 20)
        image.little(UInt64(1), at + 28)
        image.little(UInt64(20), at + 36)
        image.little(UInt32(512), at + 44)
        image.little(directory, at + 56)
    }

    private mutating func vhdFooter(_ at: Int, _ kind: UInt32, _ size: UInt64, data: UInt64) {
        put("conectix", at)
        big(UInt32(0x10000), at + 12)
        big(data, at + 16)
        big(size, at + 40)
        big(size, at + 48)
        big(kind, at + 60)
    }

    static func vhd(size: UInt64 = 100 * mebibyte, kind: UInt32 = 3) -> Crafted {
        Crafted(count: 2560).with { image in
            image.vhdFooter(0, kind, size, data: 512)
            image.put("cxsparse", 512)
            image.big(UInt32((size + (2 << 20) - 1) / (2 << 20)), 512 + 28)
            image.big(UInt32(2 << 20), 512 + 32)
            image.vhdFooter(2048, kind, size, data: 512)
        }
    }

    static func fixedVHD(_ content: Crafted = raw(count: 100 * 512)) -> Crafted {
        var image = content
        let size = image.bytes.count
        image.bytes += [UInt8](repeating: 0, count: 512)
        image.vhdFooter(size, 2, UInt64(size), data: .max)
        return image
    }

    static func vhdx(size: UInt64 = 100 * mebibyte, flags: UInt32 = 0, metadataAt: Int = 2 << 20, log: UInt8 = 0) -> Crafted {
        Crafted(count: metadataAt + (1 << 20)).with { image in
            image.put("vhdxfile", 0)
            for (number, at) in [64 << 10, 128 << 10].enumerated() {
                image.put("head", at)
                image.little(UInt64(number), at + 8)
                if number == 1 { image.bytes[at + 48] = log }
                image.little(CRC32C.of(image.bytes[at..<(at + 4096)]), at + 4)
            }
            for at in [192 << 10, 256 << 10] {
                image.put("regi", at)
                image.little(UInt32(1), at + 8)
                image.put(VHDX.metadataRegion, at + 16)
                image.little(UInt64(metadataAt), at + 32)
                image.little(UInt32(1 << 20), at + 40)
                image.little(CRC32C.of(image.bytes[at..<(at + 65536)]), at + 4)
            }
            image.put("metadata", metadataAt)
            image.little(UInt16(2), metadataAt + 10)
            for (number, item) in [VHDX.fileParameters, VHDX.diskSize].enumerated() {
                let at = metadataAt + 32 + number * 32
                image.put(item, at)
                image.little(UInt32(65536 + number * 8), at + 16)
                image.little(UInt32(8), at + 20)
            }
            image.little(flags, metadataAt + 65536 + 4)
            image.little(size, metadataAt + 65536 + 8)
        }
    }

    static func vdi(size: UInt64 = 100 * mebibyte, kind: UInt32 = 1) -> Crafted {
        Crafted(count: 1024).with { image in
            image.put("<<< QEMU VM Virtual Disk Image >>>\n", 0)
            image.little(UInt32(0xbeda_107f), 64)
            image.little(UInt32(0x0001_0001), 68)
            image.little(kind, 76)
            image.little(UInt32(512), 340)
            image.little(UInt32(1024), 344)
            image.little(UInt32(512), 360)
            image.little(size, 368)
            image.little(UInt32(1 << 20), 376)
            image.little(UInt32(size >> 20), 384)
        }
    }

    static func ploop(sectors: UInt64 = 204_800) -> Crafted {
        Crafted(count: 4096).with { image in
            image.put("WithouFreSpacExt", 0)
            image.little(sectors, 36)
        }
    }

    static func qed() -> Crafted { Crafted(count: 4096).with { $0.put("QED\0", 0) } }

    static func luks(version: UInt16 = 1) -> Crafted {
        Crafted(count: 8192).with { image in
            image.put([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], 0)
            image.big(version, 6)
            image.big(UInt32(8), 104)
            image.big(UInt32(64), 108)
        }
    }

    static func iso(blocks: UInt32 = 40) -> Crafted {
        Crafted(count: 40 * 2048).with { image in
            image.bytes[32768] = 1
            image.put("CD001", 32769)
            image.little(blocks, 32768 + 80)
            image.little(UInt16(2048), 32768 + 128)
        }
    }

    static func udf() -> Crafted {
        Crafted(count: 40 * 2048).with { image in
            image.put("BEA01", 32769)
            image.put("NSR03", 32769 + 2048)
            image.put("TEA01", 32769 + 4096)
        }
    }

    mutating func partition(_ number: Int, kind: UInt8, first: UInt32, boot: UInt8 = 0) {
        let at = 446 + number * 16
        bytes[at] = boot
        bytes[at + 4] = kind
        little(first, at + 8)
        little(UInt32(100), at + 12)
        put([0x55, 0xaa], 510)
    }

    static func mbr(_ content: Crafted = Crafted(count: 100_000)) -> Crafted {
        content.with { $0.partition(0, kind: 0x83, first: 2048, boot: 0x80) }
    }

    static func gpt(_ content: Crafted = Crafted(count: 100_000), sector: Int = 512) -> Crafted {
        content.with { image in
            image.partition(0, kind: 0xee, first: 1)
            image.put("EFI PART", sector)
            image.little(UInt32(92), sector + 12)
            image.little(UInt32(128), sector + 80)
            image.little(UInt32(128), sector + 84)
        }
    }

    /// Valid images of each known format.
    static let all: [(format: DiskFormat, image: Crafted, virtualSize: Int64)] = {
        let size = Int64(100 * mebibyte)
        return [
            (.raw, raw(), 100_000), (.raw, Crafted(count: 0), 0), (.raw, Crafted(count: 1_000_000), 1_000_000),
            (.qcow2, qcow2(), size), (.qcow2, qcow2(version: 2), size), (.qcow2, qcow2(size: 1 << 40), 1 << 40),
            (.vmdk, vmdk(), size), (.vmdk, stream(), size), (.vhd, vhd(), size), (.vhd, fixedVHD(), 51200),
            (.vhd, fixedVHD(gpt()), 100_000),
            (.vhdx, vhdx(), size), (.vhdx, vhdx(metadataAt: 1 << 20), size), (.vdi, vdi(), size), (.vdi, vdi(kind: 2), size),
            (.ploop, ploop(), size), (.luks, luks(), 4096), (.iso, iso(), 81920), (.iso, udf(), 81920), (.iso, gpt(iso()), 81920),
            (.gpt, gpt(), 100_000), (.gpt, gpt(sector: 4096), 100_000), (.gpt, mbr(), 100_000),
        ]
    }()

    /// Inspects the image.
    ///
    /// - Parameter piece: the number of bytes that are fed at a time.
    func inspected(_ piece: Int = 65536) -> Inspection {
        var inspector = FormatInspector()
        for at in stride(from: 0, to: bytes.count, by: piece) {
            inspector.inspect(Array(bytes[at..<min(at + piece, bytes.count)]))
        }
        return inspector.finish()
    }
}
