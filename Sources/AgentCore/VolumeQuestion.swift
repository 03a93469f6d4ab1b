import CloudCore
package import HostModel

/// A question to a host about its volumes, or a request that has no fence: a connection has its epoch, and an export
/// changes no volume.
package enum VolumeQuestion: StoredValue {
    package static let storedName = "agent.volume-question"

    case pools
    case volumes
    case volume(VolumeID)
    case snapshots
    case snapshot(SnapshotID)
    case manageable(pool: String)
    /// Makes a flat copy for an image, or says how it goes on; the export's id is a UUID.
    case export(VolumeSource, as: String, format: VolumeFormat)
    case forgetExport(String)
    case connect(VolumeID, VolumeConnection)
    case disconnect(VolumeID, from: MachineID, epoch: Int64)
}
