import CloudCore
import Testing

@testable import ImageFormats

@Suite("Formats of images")
struct FormatTests {
    @Test(
        "Each format is recognized with its virtual size, in pieces of any size", arguments: Crafted.all.indices,
        [1021, 4096, 65536, 8 << 20])
    func detection(index: Int, piece: Int) throws {
        let (format, image, virtualSize) = Crafted.all[index]
        let inspection = image.inspected(piece)
        #expect(inspection.format == format)
        #expect(inspection.refusals.isEmpty)
        #expect(inspection.virtualSize == virtualSize)
        #expect(inspection.size == Int64(image.bytes.count))
        try inspection.require(format)
    }

    @Test("Each format is recognized byte by byte", arguments: Crafted.all.indices)
    func byByte(index: Int) {
        let (format, image, virtualSize) = Crafted.all[index]
        let inspection = image.inspected(image.bytes.count > 500_000 ? 97 : 1)
        #expect(inspection.format == format && inspection.virtualSize == virtualSize && inspection.refusals.isEmpty)
    }

    @Test(
        "An image is accepted exactly if the declared format agrees with the found one",
        arguments: Crafted.all.indices, DiskFormat.allCases)
    func agreement(index: Int, declared: DiskFormat) {
        let (format, image, _) = Crafted.all[index]
        let agrees: Bool
        switch declared {
        case .raw: agrees = [.raw, .gpt, .iso, .luks].contains(format)
        case .ami, .ari, .aki: agrees = [.raw, .gpt].contains(format)
        default: agrees = declared == format
        }
        let inspection = image.inspected()
        if agrees {
            #expect(throws: Never.self) { try inspection.require(declared) }
        } else {
            let error = #expect(throws: CloudError.self) { try inspection.require(declared) }
            #expect(error?.kind == .unsupportedMediaType && error?.code == "format_mismatch")
        }
    }

    @Test("An image that matches several formats is refused, whatever is declared")
    func several() {
        let mixes: [(Crafted, Set<DiskFormat>)] = [
            (Crafted.iso().with { $0.put(Array(Crafted.qcow2().bytes.prefix(512)), 0) }, [.iso, .qcow2]),
            (Crafted.iso().with { $0.put(Array(Crafted.vmdk().bytes.prefix(32768)), 0) }, [.iso, .vmdk]),
            (Crafted.iso().with { $0.put(Array(Crafted.luks().bytes.prefix(512)), 0) }, [.iso, .luks]),
            (Crafted.mbr(Crafted.qcow2()), [.qcow2, .gpt]),
            (Crafted.fixedVHD(Crafted.qcow2()), [.qcow2, .vhd]),
            (Crafted.vdi().with { $0.put([0x51, 0x46, 0x49, 0xfb], 0) }, [.vdi, .qcow2]),
            (Crafted.mbr(Crafted.vhdx()), [.vhdx, .gpt]),
        ]
        for (image, formats) in mixes {
            let inspection = image.inspected()
            #expect(Set(inspection.found) == formats)
            for declared in DiskFormat.allCases {
                let error = #expect(throws: CloudError.self) { try inspection.require(declared) }
                #expect(error?.code == "several_formats")
            }
        }
    }

    @Test("A sector that only looks like a partition table is raw")
    func notPartitions() {
        let images = [
            Crafted(count: 4096).with { $0.put([0x55, 0xaa], 510) },
            Crafted.mbr().with { $0.bytes[446] = 0x42 },
            Crafted.mbr().with { $0.put("NTFS    ", 3) },
            Crafted.mbr().with {
                $0.bytes[16] = 2
                $0.bytes[21] = 0xf8
            },
        ]
        for image in images { #expect(image.inspected().format == .raw) }
    }

    /// Images that are valid except for one field, each with the name of the check that must find it.
    static let unsafe: [(check: String, image: Crafted)] = [
        ("version", .qcow2().with { $0.big(UInt32(1), 4) }),
        ("version", .qcow2().with { $0.big(UInt32(4), 4) }),
        ("header", .qcow2().with { $0.big(UInt32(8), 20) }),
        ("header", .qcow2().with { $0.big(UInt32(63), 20) }),
        ("header", .qcow2().with { $0.big(UInt32(7), 96) }),
        ("header", .qcow2().with { $0.big(UInt32.max, 100) }),
        ("encrypted", .qcow2().with { $0.big(UInt32(1), 32) }),
        ("corrupt", .qcow2().with { $0.big(UInt64(2), 72) }),
        ("unknown_features", .qcow2().with { $0.big(UInt64(1 << 4), 72) }),
        ("unknown_features", .qcow2().with { $0.big(UInt64(1) << 63, 72) }),
        ("l1_table", .qcow2().with { $0.big(UInt32.max, 36) }),
        ("l1_table", .qcow2().with { $0.big(UInt32(0), 36) }),
        ("l1_table", .qcow2().with { $0.big(UInt64(12345), 40) }),
        ("l1_table", .qcow2().with { $0.big(UInt64.max - 65535, 40) }),
        ("refcount_table", .qcow2().with { $0.big(UInt32.max, 56) }),
        ("snapshots", .qcow2().with { $0.big(UInt32(70000), 60) }),
        (
            "extensions",
            .qcow2().with {
                $0.big(UInt32(7), 104)
                $0.big(UInt32.max, 108)
            }
        ),
        ("truncated", .qcow2().with { $0.bytes.removeLast(65536) }),
        ("truncated", .qcow2().with { $0.bytes.removeLast($0.bytes.count - 50) }),
        ("banned", .qed()),
        ("version", .vmdk().with { $0.little(UInt32(9), 4) }),
        ("virtual_size", .vmdk(sectors: 0)),
        ("virtual_size", .vmdk(sectors: .max)),
        ("header", .vmdk().with { $0.little(UInt64(3), 20) }),
        ("descriptor", .vmdk().with { $0.little(UInt64(2), 28) }),
        ("descriptor", .vmdk().with { $0.little(UInt64.max, 36) }),
        ("descriptor", .vmdk(Crafted.descriptor + "changeTrackPath=\"/etc/passwd\"\n")),
        ("descriptor", .vmdk(Crafted.descriptor + "something else\n")),
        ("descriptor", .vmdk(Crafted.descriptor + "createType=\"monolithicFlat\"\n")),
        ("descriptor", .vmdk(Crafted.descriptor + "é\n")),
        ("extents", .vmdk(Crafted.descriptor + "RW 1 SPARSE \"b.vmdk\"\n")),
        ("extents", .vmdk(Crafted.descriptor.replacing("RW 204800", with: "RW x"))),
        ("truncated", .vmdk().with { $0.bytes.removeLast(65536 - 600) }),
        ("footer", .stream().with { $0.bytes.append(contentsOf: [UInt8](repeating: 0, count: 512)) }),
        ("footer", .stream().with { $0.little(UInt32(2), $0.bytes.count - 1536 + 12) }),
        ("footer", .stream().with { $0.little(UInt64.max, $0.bytes.count - 1024 + 56) }),
        ("footer", .stream().with { $0.little(UInt64(1 << 40), $0.bytes.count - 1024 + 12) }),
        ("backing_file", .vhd(kind: 4)),
        ("backing_file", .vhd().with { $0.bytes[512 + 40] = 1 }),
        ("backing_file", .vhd().with { $0.bytes[512 + 576] = 1 }),
        ("subformat", .vhd(kind: 7)),
        ("header", .vhd().with { $0.big(UInt32(3), 512 + 32) }),
        ("header", .vhd().with { $0.big(UInt32(1), 512 + 28) }),
        ("footer", .vhd().with { $0.big(UInt64(1 << 40), 2048 + 48) }),
        ("truncated", .fixedVHD().with { $0.bytes.removeFirst(512) }),
        ("backing_file", .vhdx(flags: 2)),
        ("log", .vhdx(log: 1)),
        (
            "header",
            .vhdx().with {
                $0.bytes[(64 << 10) + 100] = 1
                $0.bytes[(128 << 10) + 100] = 1
            }
        ),
        (
            "regions",
            .vhdx().with {
                $0.bytes[(192 << 10) + 100] = 1
                $0.bytes[(256 << 10) + 100] = 1
            }
        ),
        ("regions", .vhdx(metadataAt: (2 << 20) + 65536)),
        ("metadata", .vhdx().with { $0.little(UInt16.max, (2 << 20) + 10) }),
        ("metadata", .vhdx().with { $0.little(UInt32(0), (2 << 20) + 32 + 16) }),
        ("metadata", .vhdx().with { $0.little(UInt32.max, (2 << 20) + 64 + 16) }),
        ("metadata", .vhdx().with { $0.put(VHDX.diskSize, (2 << 20) + 32) }),
        ("virtual_size", .vhdx(size: .max)),
        ("truncated", .vhdx().with { $0.bytes.removeLast(1 << 20) }),
        ("truncated", .vhdx().with { $0.bytes.removeLast((1 << 20) - 65536) }),
        ("backing_file", .vdi(kind: 4)),
        ("backing_file", .vdi().with { $0.bytes[440] = 1 }),
        ("header", .vdi().with { $0.little(UInt64(1 << 40), 368) }),
        ("header", .vdi().with { $0.little(UInt32.max, 384) }),
        ("header", .vdi().with { $0.little(UInt32.max, 340) }),
        ("truncated", .vdi().with { $0.bytes.removeLast(512) }),
        ("virtual_size", .ploop(sectors: .max)),
        ("version", .luks(version: 2)),
        ("truncated", .luks().with { $0.big(UInt32.max, 104) }),
        ("mbr", .gpt().with { $0.partition(1, kind: 0x83, first: 2048) }),
        ("mbr", .gpt().with { $0.partition(0, kind: 0xee, first: 2) }),
        ("gpt", .gpt().with { $0.put("EFI FART", 512) }),
        ("gpt", .gpt().with { $0.little(UInt32.max, 512 + 80) }),
    ]

    @Test("An image that is malformed or could reach another file is refused", arguments: unsafe.indices)
    func safety(index: Int) {
        let (check, image) = Self.unsafe[index]
        for piece in [1000, 65536, 16 << 20] {
            let inspection = image.inspected(piece)
            #expect(inspection.refusals.map(\.check).contains(check), "\(inspection.refusals)")
            for declared in DiskFormat.allCases { #expect(throws: CloudError.self) { try inspection.require(declared) } }
        }
    }
}
