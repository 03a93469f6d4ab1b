/// The volumes and snapshots that a project has in a pool.
struct PoolUsage: Sendable {
    /// The project; nil for all together.
    var project: String?
    var volumes = 0
    /// The sizes of the volumes together, in GiB.
    var volumeGiB = 0
    var snapshots = 0
    /// The sizes of the snapshots together, in GiB.
    var snapshotGiB = 0
}
