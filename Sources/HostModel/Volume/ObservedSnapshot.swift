/// A snapshot of a volume as a driver found it. It needs no other snapshot, and not its volume either.
package struct ObservedSnapshot: Hashable, Sendable, Codable {
    package var id: SnapshotID
    /// The volume from which the snapshot was taken.
    package var volume: VolumeID
    package var pool: String
    /// The size of the volume at that time, in bytes.
    package var bytes: Int64
    /// The bytes that the snapshot takes in its pool now.
    package var usedBytes: Int64
    package var progress: VolumeProgress
    /// The fence of the newest change that the driver took for the snapshot.
    package var fence: Fence

    package init(
        id: SnapshotID, volume: ObservedVolume, progress: VolumeProgress, usedBytes: Int64, fence: Fence
    ) {
        self.id = id
        self.volume = volume.id
        pool = volume.pool
        bytes = volume.bytes
        self.progress = progress
        self.usedBytes = usedBytes
        self.fence = fence
    }
}
