import CloudCore
package import HostModel

/// The reply of a host about its volumes.
package enum VolumeReply: StoredValue {
    package static let storedName = "agent.volume-reply"

    case pools([VolumePool])
    case volumes([ObservedVolume])
    case volume(ObservedVolume)
    case snapshots([ObservedSnapshot])
    case snapshot(ObservedSnapshot)
    case manageable([ManageableVolume])
    case export(VolumeExport)
    /// The place of the volume for the machine's disk.
    case connected(VolumePath)
    /// The name of the file that was a volume.
    case released(String)
    /// The volume or the snapshot does not exist.
    case gone
    case done
}
