import CloudCore
import Drivers
import HostModel

/// A volume of a simulated host.
///
///     (made) → copying → whole ⇄ copying (to another pool)
///                 ↓
///              failed
struct SimulatedVolume: StoredValue {
    static let storedName = "simulated.volume"

    var spec: VolumeSpec
    var content: VolumeContent
    var progress: VolumeProgress
    var bytes: SimulatedBytes
    var connections = VolumeConnections()
    /// Whether the reply to the first creation was lost already.
    var hasLostReply = false
    /// The volume as it is going to be in another pool; nil if it does not move.
    var moved: VolumeSpec?

    init(spec: VolumeSpec, content: VolumeContent, bytes: SimulatedBytes) {
        self.spec = spec
        self.content = content
        self.bytes = bytes
        progress = content == .nothing ? .whole : .copying(percent: 0)
    }

    var usedBytes: Int64 { spec.isThin ? bytes.count : spec.bytes }

    /// The progress of a copy between two looks, in percent.
    static let step = 20

    /// Goes on with the copy. A simulated host has no work of its own, so a slow copy goes on when somebody looks.
    mutating func advance() {
        guard case .copying(let percent) = progress else { return }
        if spec.faults.contains(.copyFails) {
            let error = CloudError(
                .unavailable, "The volume could not be filled.", detail: "simulated: copy-fails", code: "copy_failed")
            progress = .failed(AgentProblem(error))
        } else {
            let next = spec.faults.contains(.slow) ? percent + Self.step : 100
            progress = next < 100 ? .copying(percent: next) : .whole
        }
        guard progress.isWhole, let moved else { return }
        (spec, self.moved) = (moved, nil)
    }
}
