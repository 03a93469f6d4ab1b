import CloudCore
import Testing

@testable import ImageFormats

/// The holes of OpenStack's security advisories that the inspection of an image closes.
@Suite("Advisories about images")
struct AdvisoryTests {
    private func refuses(_ image: Crafted, _ declared: DiskFormat, _ check: String) {
        let error = #expect(throws: CloudError.self) { try image.inspected().require(declared) }
        #expect(error?.kind == .unsupportedMediaType && error?.code == check, "\(String(describing: error))")
    }

    static func backed(by path: String, version: UInt32 = 3) -> Crafted {
        .qcow2(version: version).with { image in
            image.big(UInt64(512), 8)
            image.big(UInt32(path.utf8.count), 16)
            image.put(path, 512)
        }
    }

    @Test(
        "ossa_2015_011 A qcow2 with a backing file is refused",
        arguments: ["/etc/passwd", "json:{\"driver\":\"file\"}", "x"], [2, 3])
    func ossa_2015_011(path: String, version: UInt32) {
        for declared in [DiskFormat.qcow2] { refuses(Self.backed(by: path, version: version), declared, "backing_file") }
        refuses(Self.backed(by: path, version: version), .raw, "format_mismatch")
    }

    @Test("ossa_2015_014 A backing file is refused even if only its offset or its length is set")
    func ossa_2015_014() {
        refuses(.qcow2().with { $0.big(UInt64(1), 8) }, .qcow2, "backing_file")
        refuses(.qcow2().with { $0.big(UInt32(1), 16) }, .qcow2, "backing_file")
        refuses(.vmdk(Crafted.descriptor.replacing("parentCID=ffffffff", with: "parentCID=12345678")), .vmdk, "backing_file")
        for line in [
            "parentFileNameHint=\"/etc/passwd\"", "# parentFileNameHint=\"/etc/passwd\"",
            "ddb.x = parentFileNameHint=\"/etc/shadow\"",
        ] {
            refuses(.vmdk(Crafted.descriptor + line + "\n"), .vmdk, "backing_file")
        }
    }

    @Test(
        "ossa_2023_002 A VMDK whose data is in other files is refused",
        arguments: [
            "monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse", "vmfs", "vmfsSparse", "vmfsThin", "vmfsRaw",
            "fullDevice", "partitionedDevice",
            "custom", "", "monolithicSparse\" x=\"",
        ])
    func ossa_2023_002(type: String) {
        refuses(.vmdk(Crafted.descriptor.replacing("monolithicSparse", with: type)), .vmdk, "subformat")
        let text = "# Disk DescriptorFile\nversion=1\ncreateType=\"\(type)\"\nRW 20480 FLAT \"/etc/passwd\" 0\n"
        for text in [text, "\n  \n" + text, text.replacing("\n", with: "\r\n"), text.uppercased(), "version=1\n# é\n" + text] {
            let image = Crafted(count: text.utf8.count).with { $0.put(text, 0) }
            refuses(image, .vmdk, "subformat")
            refuses(image, .raw, "format_mismatch")
        }
    }

    @Test(
        "ossa_2023_002 A VMDK extent in another file is refused, also in a sparse VMDK",
        arguments: [
            "RW 204800 FLAT \"disk.vmdk\" 0", "RW 204800 SPARSE \"/etc/passwd\"", "RW 204800 SPARSE \"..\\disk\"",
            "RW 204800 SPARSE \"json:x\"",
            "RW 204800 ZERO", "RW 204800 SPARSE", "RW 204800 SPARSE disk.vmdk", "RW 204800 VMFS \"x\"", "",
        ])
    func ossa_2023_002_extents(extent: String) {
        refuses(.vmdk(Crafted.descriptor.replacing("RW 204800 SPARSE \"disk.vmdk\"", with: extent)), .vmdk, "extents")
    }

    @Test("ossa_2024_001 A qcow2 with an external data file is refused, whether a bit or a name declares it")
    func ossa_2024_001() {
        refuses(.qcow2().with { $0.big(UInt64(4), 72) }, .qcow2, "data_file")
        refuses(.qcow2().with { $0.big(UInt64(7), 72) }, .qcow2, "data_file")
        let named = { (image: inout Crafted, at: Int) in
            image.big(UInt32(0x4441_5441), at)
            image.big(UInt32(11), at + 4)
            image.put("/etc/passwd", at + 8)
        }
        refuses(.qcow2().with { named(&$0, 104) }, .qcow2, "data_file")
        refuses(.qcow2(version: 2).with { named(&$0, 72) }, .qcow2, "data_file")
        refuses(
            .qcow2().with {
                $0.big(UInt32(0x6803_f857), 104)
                $0.big(UInt32(5), 108)
                named(&$0, 120)
            }, .qcow2, "data_file")
    }

    @Test("ossa_2024_002 An image that is declared raw but is a container is refused")
    func ossa_2024_002() {
        for (format, image, _) in Crafted.all where !format.isFlat { refuses(image, .raw, "format_mismatch") }
        refuses(.qed(), .raw, "format_mismatch")
    }

    @Test("ossa_2024_003 An image that is incomplete or matches several formats is never taken as safe")
    func ossa_2024_003() {
        // The image is safe at its beginning and has another format at its end.
        var inspector = FormatInspector()
        let image = Crafted.fixedVHD(.raw(count: 1 << 20))
        inspector.inspect(Array(image.bytes.dropLast(512)))
        #expect(inspector.early?.format == .raw && inspector.early?.isFinished == false)
        inspector.inspect(Array(image.bytes.suffix(512)))
        #expect(inspector.finish().format == .vhd)
        for (_, image, _) in Crafted.all where !image.bytes.isEmpty {
            refuses(Crafted.fixedVHD(image).with { $0.put([0x51, 0x46, 0x49, 0xfb], 0) }, .qcow2, "several_formats")
        }
    }

    @Test("ossa_2013_012 The virtual size is known before the data is read, and no footer changes it")
    func ossa_2013_012() {
        let huge: UInt64 = 1 << 50
        let images: [Crafted] = [
            .qcow2(size: 1 << 40), .vhdx(size: huge), .vmdk(sectors: huge / 512), .ploop(sectors: huge / 512),
        ]
        for image in images {
            var inspector = FormatInspector()
            var read = 0
            let padded = image.bytes + [UInt8](repeating: 0, count: 4 << 20)
            while inspector.early?.virtualSize == nil, read < padded.count {
                inspector.inspect(Array(padded[read..<(read + 4096)]))
                read += 4096
            }
            #expect((inspector.early?.virtualSize ?? 0) >= 1 << 40)
            #expect(read <= (2 << 20) + (128 << 10))
        }
        // QEMU uses the extent or the geometry if they are larger.
        let extent: Int64 = 9_999_999 * 512
        #expect(Crafted.vmdk(Crafted.descriptor.replacing("204800", with: "9999999")).inspected().virtualSize == extent)
        let geometry = Crafted.vhd().with { image in
            for at in [56, 2048 + 56] {
                image.big(UInt16.max, at)
                image.put([16, 255], at + 2)
            }
            image.big(UInt32(1 << 20), 512 + 28)
        }
        let cylinders: Int64 = 65535 * 16 * 255 * 512
        #expect(geometry.inspected().virtualSize == cylinders)
        // The stream's header states a small size, and its footer a large one.
        refuses(.stream().with { $0.little(huge, $0.bytes.count - 1024 + 12) }, .vmdk, "footer")
    }
}
