/// A volume as a driver found it. The wanted state is never a part of this value.
package struct ObservedVolume: Hashable, Sendable, Codable {
    package var id: VolumeID
    package var pool: String
    /// The size that a guest sees, in bytes.
    package var bytes: Int64
    /// The bytes that the volume takes in its pool now.
    package var usedBytes: Int64
    package var format: VolumeFormat
    package var isThin: Bool
    package var progress: VolumeProgress
    /// The fence of the newest change that the driver took for the volume.
    package var fence: Fence
    /// The machines that may use the volume.
    package var connections: [VolumeConnection] = []

    package init(_ spec: VolumeSpec, progress: VolumeProgress, usedBytes: Int64, fence: Fence) {
        id = spec.id
        pool = spec.pool
        bytes = spec.bytes
        format = spec.format
        isThin = spec.isThin
        self.progress = progress
        self.usedBytes = usedBytes
        self.fence = fence
    }
}
