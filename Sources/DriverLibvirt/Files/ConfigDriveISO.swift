import Foundation
import HostModel

/// A config drive as a CD: ISO 9660 (ECMA-119) with a second tree of names for Joliet, which keeps lower case and long
/// names. The same files always give the same bytes.
struct ConfigDriveISO {
    private static let sector = 2048

    private final class Folder {
        var folders: [(name: String, folder: Folder)] = []
        var files: [(name: String, data: Data)] = []
    }

    /// The two trees, which differ in how names are written.
    private enum Tree: Int, CaseIterable {
        case plain, joliet

        func name(_ name: String, isFile: Bool) -> [UInt8] {
            switch self {
            case .plain: Array((name.uppercased() + (isFile ? ";1" : "")).utf8)
            case .joliet: Tree.wide(name + (isFile ? ";1" : ""))
            }
        }

        static func wide(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
    }

    /// A folder with its place on the disk in one tree.
    private struct Placed {
        let folder: Folder
        let name: String
        let parent: Int
        var sector = 0
        var size = 0
    }

    static func bytes(_ drive: ConfigDrive) -> Data {
        ConfigDriveISO(drive).image()
    }

    private let label: String
    private let root = Folder()
    private var order: [Placed] = []

    private init(_ drive: ConfigDrive) {
        label = drive.label
        for (path, data) in drive.files.sorted(by: { $0.key < $1.key }) {
            var folder = root
            let parts = path.split(separator: "/").map(String.init)
            for part in parts.dropLast() {
                if let next = folder.folders.first(where: { $0.name == part })?.folder {
                    folder = next
                } else {
                    let next = Folder()
                    folder.folders.append((part, next))
                    folder = next
                }
            }
            if let name = parts.last { folder.files.append((name, data)) }
        }
        order = [Placed(folder: root, name: "", parent: 0)]
        // The folders are in the order of a path table, level by level (section 6.9.1).
        var at = 0
        while at < order.count {
            for (name, folder) in order[at].folder.folders.sorted(by: { $0.name < $1.name }) {
                order.append(Placed(folder: folder, name: name, parent: at))
            }
            at += 1
        }
    }

    private func image() -> Data {
        var next = 19
        var tables: [(little: Int, big: Int, size: Int)] = []
        for tree in Tree.allCases {
            let size = pathTable(tree, order, isBig: false).count
            let sectors = Self.sectors(size)
            tables.append((next, next + sectors, size))
            next += 2 * sectors
        }
        var trees: [[Placed]] = []
        for tree in Tree.allCases {
            var placed = order
            for at in placed.indices {
                placed[at].size = extent(of: at, tree, placed, files: [:]).count
                placed[at].sector = next
                next += Self.sectors(placed[at].size)
            }
            trees.append(placed)
        }
        var files: [String: Int] = [:]
        var contents: [(sector: Int, data: Data)] = []
        for (number, placed) in order.enumerated() {
            for file in placed.folder.files {
                files["\(number)/\(file.name)"] = next
                contents.append((next, file.data))
                next += Self.sectors(file.data.count)
            }
        }
        var image = Data(count: next * Self.sector)
        func put(_ bytes: some Collection<UInt8>, at sector: Int) {
            image.replaceSubrange(sector * Self.sector..<sector * Self.sector + bytes.count, with: bytes)
        }
        for tree in Tree.allCases {
            let (placed, table) = (trees[tree.rawValue], tables[tree.rawValue])
            put(descriptor(tree, sectors: next, root: placed[0], table), at: 16 + tree.rawValue)
            put(pathTable(tree, placed, isBig: false), at: table.little)
            put(pathTable(tree, placed, isBig: true), at: table.big)
            for at in placed.indices { put(extent(of: at, tree, placed, files: files), at: placed[at].sector) }
        }
        put([255] + Array("CD001".utf8) + [1], at: 18)
        for content in contents { put(content.data, at: content.sector) }
        return image
    }

    private static func sectors(_ bytes: Int) -> Int { max(1, (bytes + sector - 1) / sector) }

    private func descriptor(_ tree: Tree, sectors: Int, root: Placed, _ table: (little: Int, big: Int, size: Int)) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.sector)
        func put(_ value: [UInt8], at: Int) { bytes.replaceSubrange(at..<at + value.count, with: value) }
        func text(_ text: String, at: Int, _ width: Int) {
            let (value, blank): ([UInt8], [UInt8]) = tree == .plain ? (Array(text.utf8), [32]) : (Tree.wide(text), [0, 32])
            put(Array(repeating: blank, count: width / blank.count).flatMap(\.self), at: at)
            put(Array(value.prefix(width)), at: at)
        }
        put([tree == .plain ? 1 : 2] + Array("CD001".utf8) + [1], at: 0)
        text("LINUX", at: 8, 32)
        text(label, at: 40, 32)
        put(Self.both32(sectors), at: 80)
        // The escape sequence for UCS-2 level 3 makes the second tree a Joliet one.
        if tree == .joliet { put([0x25, 0x2f, 0x45], at: 88) }
        put(Self.both16(1), at: 120)
        put(Self.both16(1), at: 124)
        put(Self.both16(Self.sector), at: 128)
        put(Self.both32(table.size), at: 132)
        put(Self.little32(table.little), at: 140)
        put(Self.little32(table.big).reversed(), at: 148)
        put(Self.record([0], root.sector, root.size, isFolder: true), at: 156)
        for (at, width) in [(190, 128), (318, 128), (446, 128), (574, 128), (702, 36), (740, 36), (776, 36)] { text("", at: at, width) }
        for at in [813, 830, 847, 864] { put(Array("0000000000000000".utf8) + [0], at: at) }
        bytes[881] = 1
        return bytes
    }

    private func pathTable(_ tree: Tree, _ placed: [Placed], isBig: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, folder) in placed.enumerated() {
            let name = number == 0 ? [0] : tree.name(folder.name, isFile: false)
            let sector = Self.little32(folder.sector)
            let parent = [UInt8((folder.parent + 1) & 255), UInt8((folder.parent + 1) >> 8)]
            bytes += [UInt8(name.count), 0] + (isBig ? sector.reversed() + parent.reversed() : sector + parent) + name
            if name.count % 2 == 1 { bytes.append(0) }
        }
        return bytes
    }

    /// Returns the records of a folder; no record spans two sectors.
    private func extent(of number: Int, _ tree: Tree, _ placed: [Placed], files: [String: Int]) -> [UInt8] {
        let (own, parent) = (placed[number], placed[placed[number].parent])
        var entries: [(name: [UInt8], record: [UInt8])] = []
        for (at, child) in placed.enumerated() where at != 0 && child.parent == number {
            let name = tree.name(child.name, isFile: false)
            entries.append((name, Self.record(name, child.sector, Self.whole(child.size), isFolder: true)))
        }
        for file in own.folder.files {
            let name = tree.name(file.name, isFile: true)
            entries.append((name, Self.record(name, files["\(number)/\(file.name)"] ?? 0, file.data.count, isFolder: false)))
        }
        let records =
            [
                Self.record([0], own.sector, Self.whole(own.size), isFolder: true),
                Self.record([1], parent.sector, Self.whole(parent.size), isFolder: true),
            ] + entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }.map(\.record)
        var bytes: [UInt8] = []
        for record in records {
            let left = Self.sector - bytes.count % Self.sector
            if record.count > left { bytes += [UInt8](repeating: 0, count: left) }
            bytes += record
        }
        return bytes
    }

    private static func whole(_ bytes: Int) -> Int { sectors(bytes) * sector }

    private static func record(_ name: [UInt8], _ sector: Int, _ size: Int, isFolder: Bool) -> [UInt8] {
        let length = 33 + name.count + (name.count % 2 == 0 ? 1 : 0)
        // The date is always 1 January 1970, so that the same files give the same disk.
        var bytes: [UInt8] = [UInt8(length), 0] + both32(sector) + both32(isFolder ? whole(size) : size) + [70, 1, 1, 0, 0, 0, 0]
        bytes += [isFolder ? 2 : 0, 0, 0] + both16(1) + [UInt8(name.count)] + name
        if bytes.count < length { bytes.append(0) }
        return bytes
    }

    private static func little32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

    /// Returns a number in both byte orders, little-endian first, as the standard writes most numbers.
    private static func both32(_ value: Int) -> [UInt8] { little32(value) + little32(value).reversed() }

    private static func both16(_ value: Int) -> [UInt8] {
        let little = Array(little32(value).prefix(2))
        return little + little.reversed()
    }
}
