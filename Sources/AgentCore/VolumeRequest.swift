import CloudCore
package import HostModel

/// A change of a volume, a snapshot or a copy of one that the control plane requests from a host. It may be sent again.
package struct VolumeRequest: StoredValue {
    package static let storedName = "agent.volume-request"

    /// The fence of the volume, the snapshot or the copy that is changed.
    package var fence: Fence
    package var verb: Verb

    package init(_ verb: Verb, fence: Fence) {
        self.fence = fence
        self.verb = verb
    }

    package enum Verb: Sendable, Codable {
        /// Makes the volume; a long copy goes on after the reply.
        case ensure(VolumeSpec, from: VolumeContent)
        case grow(VolumeID, bytes: Int64)
        case remove(VolumeID)
        case revert(VolumeID, to: SnapshotID)
        case snapshot(SnapshotID, of: VolumeID)
        case removeSnapshot(SnapshotID)
        /// Makes a volume of an existing file of the pool.
        case adopt(String, as: VolumeSpec)
        /// Makes the volume a file that is nobody's; without a name, it gets one that is made of its id.
        case release(VolumeID, as: String? = nil)
        /// Makes a snapshot of an existing file of the volume's pool.
        case adoptSnapshot(String, as: SnapshotID, of: VolumeID)
        /// Makes the snapshot a file that is nobody's.
        case releaseSnapshot(SnapshotID, as: String? = nil)
        /// Brings the volume into another pool of the host; a long copy goes on after the reply.
        case move(VolumeID, to: String, isThin: Bool)
        /// Makes a flat copy for an image, or says how it goes on; the export's id is a UUID.
        case export(VolumeSource, as: String, format: VolumeFormat)
        case forgetExport(String)
    }
}
