package import CloudCore

/// The id of a volume as hosts know it: a UUID with dashes, in lower case.
package typealias VolumeID = ID<Kind.Volume>

/// The id of a snapshot of a volume: a UUID with dashes, in lower case.
package typealias SnapshotID = ID<Kind.Snapshot>

/// The specification of a volume: all that is wanted of it but its bytes.
package struct VolumeSpec: Hashable, StoredValue {
    package static let storedName = "volume-spec"

    package var id: VolumeID
    /// The name of the pool in which the volume lies.
    package var pool: String
    /// The size that a guest sees, in bytes of whole sectors.
    package var bytes: Int64
    package var format: VolumeFormat
    /// Whether the volume takes space only where it was written to.
    package var isThin: Bool
    /// The volume's metadata. The simulated driver reads its faults from it; no other driver looks at it.
    package var metadata: [String: String]

    package init(
        id: VolumeID, pool: String, bytes: Int64, format: VolumeFormat = .raw, isThin: Bool = true,
        metadata: [String: String] = [:]
    ) {
        self.id = id
        self.pool = pool
        self.bytes = bytes
        self.format = format
        self.isThin = isThin
        self.metadata = metadata
    }

    /// Throws if no driver can make the volume. Drivers call it before anything else.
    ///
    /// - Throws: `badRequest`. The API has already checked all of it with its own messages.
    package func check() throws(CloudError) {
        guard id.isUUID else { throw .badRequest("A volume's id must be a UUID in lower case.") }
        guard PathPart.isPlain(pool) else { throw .badRequest("A pool's name must be 1 to 64 of a-z, 0-9, - and _.") }
        try Self.check(bytes: bytes)
    }

    /// Throws if no volume can have this size.
    package static func check(bytes: Int64) throws(CloudError) {
        guard (1 << 20...1 << 50).contains(bytes), bytes % 512 == 0 else {
            throw .badRequest("A volume must have 1 MiB to 1 PiB, in whole sectors.")
        }
    }
}

/// The format of a volume's bytes on a host. It is stated wherever the bytes are read, and never guessed.
package enum VolumeFormat: String, Hashable, Sendable, Codable, CaseIterable {
    case raw, qcow2
}

extension ID where Entity == Kind.Volume {
    /// Whether the id has 8-4-4-4-12 lower-case hexadecimal digits. Such a text is safe in a path.
    package var isUUID: Bool { PathPart.isUUID(text) }
}

extension ID where Entity == Kind.Snapshot {
    /// Whether the id has 8-4-4-4-12 lower-case hexadecimal digits. Such a text is safe in a path.
    package var isUUID: Bool { PathPart.isUUID(text) }
}
