import CloudCore
package import HostModel

/// A question to a host about its volumes, or a request that has no fence: a connection has its epoch.
package enum VolumeQuestion: StoredValue {
    package static let storedName = "agent.volume-question"

    case pools
    case volumes
    case volume(VolumeID)
    case snapshots
    case snapshot(SnapshotID)
    case manageable(pool: String)
    case connect(VolumeID, VolumeConnection)
    case disconnect(VolumeID, from: MachineID, epoch: Int64)
}
