/// A file of a pool that is no volume and could become one, or a snapshot of one.
package struct ManageableVolume: Hashable, Sendable, Codable {
    /// The name by which `adopt` finds it.
    package var name: String
    package var bytes: Int64
    package var format: VolumeFormat
    /// The reason why it cannot become a volume, for people; nil if it can.
    package var refusal: String?

    package init(name: String, bytes: Int64, format: VolumeFormat, refusal: String? = nil) {
        self.name = name
        self.bytes = bytes
        self.format = format
        self.refusal = refusal
    }

    /// The most files of a pool that are listed.
    package static let most = 10_000

    private static let snapshotPrefix = "snapshot-"

    /// Whether the file was a snapshot of a volume, as its name says.
    package var isSnapshot: Bool { name.hasPrefix(Self.snapshotPrefix) }

    /// Returns the name that a volume gets when it becomes a file.
    package static func name(of id: VolumeID, _ format: VolumeFormat) -> String { "\(id).\(format.rawValue)" }

    /// Returns the name that a snapshot gets when it becomes a file.
    package static func name(of id: SnapshotID, _ format: VolumeFormat) -> String {
        "\(snapshotPrefix)\(id).\(format.rawValue)"
    }

    /// Returns the format that a file's name states; nil for a name that no volume's file has.
    package static func format(of name: String) -> VolumeFormat? {
        let isPlain = name.utf8.allSatisfy { byte in
            let isLetter = (65...90).contains(byte) || (97...122).contains(byte)
            return isLetter || (48...57).contains(byte) || [45, 46, 95].contains(byte)
        }
        guard isPlain, (1...200).contains(name.utf8.count), name.first != ".", let dot = name.lastIndex(of: ".") else {
            return nil
        }
        switch name[name.index(after: dot)...] {
        case "raw", "img": return .raw
        case "qcow2": return .qcow2
        default: return nil
        }
    }
}
