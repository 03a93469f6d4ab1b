/// What an image's bytes are, in the words of the Image API's `disk_format`, and some more that are only ever found.
package enum DiskFormat: String, Sendable, CaseIterable, Codable {
    case ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop
    case gpt, luks, qed

    /// Formats whose file is the disk itself: whoever reads one as `raw` reads what a guest would read, and nothing in them can
    /// name another file.
    package var isFlat: Bool {
        switch self {
        case .raw, .gpt, .iso, .luks, .ami, .ari, .aki: true
        case .vhd, .vhdx, .vmdk, .qcow2, .vdi, .ploop, .qed: false
        }
    }

    /// Whether bytes found to be `found` are what an image declared as this one may have.
    ///
    /// The machine images of EC2 have no form of their own. A `raw` disk may hold whatever is flat.
    package func accepts(_ found: DiskFormat) -> Bool {
        switch self {
        case .raw: found.isFlat
        case .ami, .ari, .aki: found == .raw || found == .gpt
        default: self == found
        }
    }
}
