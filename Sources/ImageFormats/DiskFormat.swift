/// The format of an image's bytes, in the words of the Image API's `disk_format`, with some more that are only
/// detected.
package enum DiskFormat: String, Sendable, CaseIterable, Codable {
    case ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop
    case gpt, luks, qed

    /// Whether a file of the format is the disk itself. A reader of such a file as `raw` reads what a guest would read,
    /// and nothing in it can name another file.
    package var isFlat: Bool {
        switch self {
        case .raw, .gpt, .iso, .luks, .ami, .ari, .aki: true
        case .vhd, .vhdx, .vmdk, .qcow2, .vdi, .ploop, .qed: false
        }
    }

    /// Returns whether an image that is declared as this format may hold bytes that were found to be `found`.
    ///
    /// The machine images of EC2 have no format of their own. A `raw` disk may hold any flat format.
    package func accepts(_ found: DiskFormat) -> Bool {
        switch self {
        case .raw: found.isFlat
        case .ami, .ari, .aki: found == .raw || found == .gpt
        default: self == found
        }
    }
}
