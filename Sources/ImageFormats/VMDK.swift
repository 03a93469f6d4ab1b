/// VMware's disk in one file: `monolithicSparse` and `streamOptimized` (Virtual Disk Format 5.0). Little-endian.
///
/// The other subformats are a text that names the files with the data, by which an image could read any file of the
/// host. So a text alone is always refused. The text inside a sparse file is checked against a list of allowed lines.
enum VMDK: FormatReader {
    private static let sector: UInt64 = 512
    private static let atEnd = UInt64.max

    /// The header's fields that the footer of a stream repeats and must not change.
    private struct Header: Equatable {
        var version: UInt32
        var capacity: UInt64
        var grain: UInt64
        var descriptorAt: UInt64
        var descriptorSectors: UInt64
        var entries: UInt32

        init(_ bytes: Bytes, at: UInt64) throws {
            version = try bytes.little32(at + 4)
            capacity = try bytes.little64(at + 12)
            grain = try bytes.little64(at + 20)
            descriptorAt = try bytes.little64(at + 28)
            descriptorSectors = try bytes.little64(at + 36)
            entries = try bytes.little32(at + 44)
        }
    }

    static func read(_ image: Material) -> Finding? {
        if image.head.has("KDMV", at: 0) { return readSparse(image) }
        let isText = VMDKDescriptor.isOne(image.head)
        guard isText || image.head.has("COWD", at: 0) else { return nil }
        var finding = Finding(.vmdk)
        finding.refusals = [
            Refusal("subformat", "The image keeps its data in other files: only sparse images in one file are supported.")
        ]
        return finding
    }

    private static func readSparse(_ image: Material) -> Finding {
        var finding = Finding(.vmdk)
        finding.check { finding in
            let header = try Header(image.head, at: 0)
            guard (1...3).contains(header.version) else { throw Refusal("version", "The image's VMDK version is not supported.") }
            // Without a capacity, QEMU reads the descriptor as one that names the files with the data.
            guard header.capacity > 0, header.capacity <= Limits.mostVirtual / sector else { throw Refusal.tooLarge }
            finding.virtualSize = header.capacity * sector
            guard (1...4096).contains(header.grain), header.grain.nonzeroBitCount == 1, (1...512).contains(header.entries) else {
                throw Refusal("header", "The image's header has impossible sizes.")
            }
            let most = UInt64(Limits.head) / sector - 1
            guard header.descriptorAt == 1, (1...most).contains(header.descriptorSectors) else {
                throw Refusal("descriptor", "The image's descriptor has an impossible size or place.")
            }
            let bytes = try image.head.slice(sector, Int(header.descriptorSectors * sector))
            let sectors = try VMDKDescriptor(bytes).check()
            guard sectors <= Limits.mostVirtual / sector else { throw Refusal.tooLarge }
            finding.virtualSize = max(header.capacity, sectors) * sector
        }
        finding.check { _ in
            guard try image.head.little64(56) == atEnd, let tail = image.tail else { return }
            try checkFooter(tail, Header(image.head, at: 0))
        }
        return finding
    }

    /// Checks the end of a stream: a marker, the footer and an end of stream. If footer and header differ, readers use
    /// the footer, so a footer that differs from what was checked is an attack.
    private static func checkFooter(_ tail: Bytes, _ header: Header) throws {
        guard tail.end >= 4 * sector else { throw Refusal.truncated }
        let (marker, footer, end) = (tail.end - 3 * sector, tail.end - 2 * sector, tail.end - sector)
        let isMarked = try tail.little32(marker + 8) == 0 && tail.little32(marker + 12) == 3 && tail.isZero(marker + 16, 496)
        guard try isMarked && tail.isZero(end, 512) else {
            throw Refusal("footer", "The image does not end with a footer as it should.")
        }
        guard tail.has("KDMV", at: footer), try Header(tail, at: footer) == header, try tail.little64(footer + 56) != atEnd else {
            throw Refusal("footer", "The image's footer contradicts its header.")
        }
    }
}

/// The descriptor of a VMDK: a text that says how the data is stored. Case does not matter in it.
struct VMDKDescriptor {
    private let text: String
    private let lines: [Substring]
    /// The known first words of lines, without those that name other files.
    private static let keys: Set<String> = ["version", "encoding", "cid", "parentcid", "isnativesnapshot", "createtype"]

    /// Reads the text, which ends with the first zero byte.
    init(_ bytes: ArraySlice<UInt8>) {
        text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).lowercased()
        lines = text.split { $0.isNewline }
    }

    /// Returns whether a file begins like a descriptor that stands alone, as programs that guess formats see it:
    /// comments and blank lines and then a version, or any text that gives the type that it creates.
    static func isOne(_ head: Bytes) -> Bool {
        guard let first = head.bytes.first, first != 0 else { return false }
        let lines = VMDKDescriptor(head.bytes.prefix(64 << 10)).lines.map { $0.filter { !$0.isWhitespace } }
        if lines.contains(where: { $0.hasPrefix("createtype=") }) || lines.first?.hasPrefix("#diskdescriptorfile") == true {
            return true
        }
        return lines.first { !$0.isEmpty && !$0.hasPrefix("#") }?.hasPrefix("version=") ?? false
    }

    /// Checks the text, and refuses every line that is not known to be harmless.
    ///
    /// - Returns: the number of sectors of the one extent, which is the file itself.
    func check() throws(Refusal) -> UInt64 {
        guard text.utf8.allSatisfy({ (32...126).contains($0) || $0 == 9 || $0 == 10 || $0 == 13 }) else {
            throw Refusal("descriptor", "The image's descriptor is no plain text.")
        }
        // QEMU looks for these two words anywhere, also in comments, and takes the first that it finds.
        if text.contains("parentfilenamehint") { throw Refusal("backing_file", "The image has a parent.") }
        guard text.split(separator: "createtype", omittingEmptySubsequences: false).count == 2 else {
            throw Refusal("descriptor", "The image's descriptor does not say exactly once what it is.")
        }
        var types: [String] = []
        var extents: [Substring] = []
        for line in lines.map({ $0.trimmingPrefix { $0 == " " || $0 == "\t" } }) where !line.isEmpty && !line.hasPrefix("#") {
            if line.hasPrefix("ddb.") { continue }
            if ["rw ", "rdonly ", "noaccess "].contains(where: line.hasPrefix) {
                extents.append(line)
                continue
            }
            guard let (key, value) = Self.assignment(line), Self.keys.contains(key) else {
                throw Refusal("descriptor", "The image's descriptor has a line that is not known.")
            }
            if key == "createtype" { types.append(value) }
            if key == "parentcid", value != "ffffffff" { throw Refusal("backing_file", "The image has a parent.") }
        }
        guard types == ["monolithicsparse"] || types == ["streamoptimized"] else {
            throw Refusal("subformat", "The image keeps its data in other files: only sparse images in one file are supported.")
        }
        guard extents.count == 1 else { throw Refusal("extents", "The image does not have exactly one extent.") }
        return try Self.sectors(extents[0])
    }

    /// Returns the parts of `key = "value"`, or nil for anything else.
    private static func assignment(_ line: Substring) -> (key: String, value: String)? {
        guard let at = line.firstIndex(of: "=") else { return nil }
        let key = line[..<at].trimmingSpaces
        guard !key.isEmpty, !key.contains(" "), !key.contains("\"") else { return nil }
        return (key, line[line.index(after: at)...].trimmingSpaces.filter { $0 != "\"" })
    }

    /// Returns the sectors of an extent such as `RW 2048 SPARSE "name.vmdk"`. Programs that open such an image do not
    /// use the name; it must not be a path all the same.
    private static func sectors(_ line: Substring) throws(Refusal) -> UInt64 {
        let words = line.split(separator: " ", maxSplits: 3)
        guard words.count == 4, let sectors = UInt64(words[1]), words[2] == "sparse" else {
            throw Refusal("extents", "The image's extent is not sparse.")
        }
        let name = words[3].trimmingSpaces
        guard name.count > 2, name.hasPrefix("\""), name.hasSuffix("\""),
            !name.dropFirst().dropLast().contains(where: "/\\:\"".contains)
        else {
            throw Refusal("extents", "The image's extent names another file.")
        }
        return sectors
    }
}

extension StringProtocol {
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(String(drop(while: isSpace).reversed()).drop(while: isSpace).reversed())
    }
}
