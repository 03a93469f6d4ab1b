import TestSupport
import Testing

@testable import ImageFormats

/// Tests with malformed images. Each inspection must end in bounded memory; a trap would end the whole test run. No
/// malformed image passes for a good one.
@Suite("Malformed images")
struct FuzzTests {
    /// Values at which arithmetic may overflow.
    private static let edges: [UInt64] = [
        0, 1, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 60, .max >> 1, .max - 511, .max,
    ]

    private static func mutated(_ image: Crafted, _ random: inout SplitMix64) -> Crafted {
        var bytes = image.bytes
        guard !bytes.isEmpty else { return image }
        for _ in 0..<Int.random(in: 1...8, using: &random) where bytes.count > 8 {
            // Most changes hit headers: the beginning, the end, and the structures of VHDX in between.
            let at: Int
            switch Int.random(in: 0..<8, using: &random) {
            case 0: at = Int.random(in: 0..<(bytes.count - 8), using: &random)
            case 1: at = max(0, bytes.count - 8 - Int.random(in: 0..<1536, using: &random))
            case 2:
                at =
                    min(
                        bytes.count - 8,
                        [65536, 131_072, 196_608, 262_144, 2 << 20, (2 << 20) + 65536].randomElement(using: &random) ?? 0) / 8 * 8
            default: at = Int.random(in: 0..<min(700, bytes.count - 8), using: &random)
            }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2, 3:
                let value = edges.randomElement(using: &random) ?? 0
                let width = [2, 4, 8].randomElement(using: &random) ?? 8
                let big = Bool.random(using: &random)
                for index in 0..<width {
                    bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (big ? width - 1 - index : index)))
                }
            default: bytes.removeLast(Int.random(in: 0..<min(bytes.count, 70000), using: &random))
            }
        }
        var result = image
        result.bytes = bytes
        return result
    }

    /// Returns the image with valid VHDX checksums, so that the checks behind them run.
    private static func resealed(_ image: Crafted) -> Crafted {
        var image = image
        for (at, count) in [(64 << 10, 4096), (128 << 10, 4096), (192 << 10, 65536), (256 << 10, 65536)]
        where image.bytes.count >= at + count {
            image.little(UInt32(0), at + 4)
            image.little(CRC32C.of(image.bytes[at..<(at + count)]), at + 4)
        }
        return image
    }

    /// The declared formats as which an image is taken.
    private static func taken(_ inspection: Inspection) -> [DiskFormat] {
        DiskFormat.allCases.filter { (try? inspection.require($0)) != nil }
    }

    @Test("Mutations of every format never trap", arguments: Crafted.all.indices)
    func mutations(index: Int) {
        let (format, image, _) = Crafted.all[index]
        var random = SplitMix64(seed: UInt64(index + 1))
        for _ in 0..<(format == .vhdx ? 15 : 80) {
            var mutant = Self.mutated(image, &random)
            if format == .vhdx, Bool.random(using: &random) { mutant = Self.resealed(mutant) }
            let piece = [511, 4096, 100_000, 1 << 20].randomElement(using: &random) ?? 4096
            let inspection = mutant.inspected(piece)
            #expect(inspection.size == Int64(mutant.bytes.count))
            #expect((inspection.virtualSize ?? 0) >= 0)
            for declared in DiskFormat.allCases { _ = try? inspection.require(declared) }
        }
    }

    @Test(
        "Edge values in every field of every header never trap",
        arguments: [DiskFormat.qcow2, .vmdk, .vhd, .vdi, .luks, .gpt, .ploop])
    func edges(format: DiskFormat) {
        for (found, image, _) in Crafted.all where found == format && image.bytes.count < 300_000 {
            let head = Crafted(count: 0).with { $0.bytes = Array(image.bytes.prefix(4096)) }
            for at in stride(from: 0, to: min(620, head.bytes.count - 8), by: 4) {
                for value in [1, 0x8000_0000, 0xffff_ffff, .max >> 1, .max] as [UInt64] {
                    let little = head.with { $0.little(value, at) }.inspected()
                    let big = head.with { $0.big(value, at) }.inspected()
                    #expect(little.size == big.size)
                }
            }
        }
    }

    @Test("Noise is raw or refused, and never traps")
    func noise() {
        var random = SplitMix64(seed: 7)
        for round in 0..<300 {
            var image = Crafted(count: Int.random(in: 0..<2000, using: &random))
            for at in image.bytes.indices { image.bytes[at] = UInt8.random(in: 0...255, using: &random) }
            let marks: [[UInt8]] = [
                [0x51, 0x46, 0x49, 0xfb], Array("KDMV".utf8), Array("COWD".utf8), Array("conectix".utf8), Array("vhdxfile".utf8),
                Array("QED\0".utf8),
                Array("LUKS".utf8) + [0xba, 0xbe], Array("WithoutFreeSpace".utf8), Array("version=".utf8),
                Array("RW 1 SPARSE".utf8),
            ]
            let mark = marks[round % marks.count]
            if image.bytes.count > mark.count { image.put(mark, 0) }
            let inspection = image.inspected(Int.random(in: 1...700, using: &random))
            #expect(inspection.isFinished && inspection.size == Int64(image.bytes.count))
            let taken = Self.taken(inspection)
            // Nothing but the mark tells a header of ploop from noise.
            let isPlain = inspection.format == .raw || inspection.format == .ploop
            #expect(taken.isEmpty || isPlain, "round \(round): taken as \(taken)")
            #expect(!taken.isEmpty || !inspection.refusals.isEmpty, "round \(round): refused without a reason")
        }
    }

    @Test("A truncated image never traps", arguments: Crafted.all.indices)
    func prefixes(index: Int) {
        let (format, image, virtualSize) = Crafted.all[index]
        for length in [
            0, 1, 3, 4, 7, 8, 63, 64, 72, 104, 447, 510, 511, 512, 513, 1023, 1024, 1535, 1536, 1537, 32768, 32774, 34816, 65536,
            327_680,
        ] {
            let cut = image.with { $0.bytes = Array($0.bytes.prefix(length)) }
            let inspection = cut.inspected()
            let size = Int64(cut.bytes.count)
            #expect(inspection.isFinished && inspection.size == size)
            // The part that is taken declares the disk of the whole, or is a disk of its own size.
            guard !Self.taken(inspection).isEmpty, format != .luks else { continue }
            #expect([size, virtualSize].contains(inspection.virtualSize), "\(length) bytes as \(inspection.found)")
        }
    }

    @Test("Inspecting a long stream keeps only a bounded number of bytes")
    func memory() {
        var inspector = FormatInspector()
        let chunk = Array(Crafted.vhdx().bytes.prefix(1 << 20))
        for _ in 0..<64 { inspector.inspect(chunk) }
        #expect(inspector.kept < 512 << 10)
        for size in [1, 100, 1535, 1536, 1537] {
            for _ in 0..<200 { inspector.inspect(Array(chunk.prefix(size))) }
            #expect(inspector.kept < 512 << 10)
        }
    }
}
