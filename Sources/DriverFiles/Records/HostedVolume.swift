import CloudCore
import Drivers
import HostModel

/// A volume as the host remembers it.
///
///     (recorded) → work → whole ⇄ work (revert, release, move)
///                   ↓
///                failed
struct HostedVolume: StoredValue {
    static let storedName = "files.volume"

    var spec: VolumeSpec
    /// The work that is not done yet; nil if the volume is whole. It is recorded before it begins, so that the next
    /// process goes on with it.
    var work: Work?
    /// The reason why the work has failed. It is not tried again until somebody asks for it.
    var failure: AgentProblem?
    var connections = VolumeConnections()

    init(spec: VolumeSpec, work: Work) {
        self.spec = spec
        self.work = work
    }

    enum Work: Hashable, Sendable, Codable {
        /// Makes the file. The ticket tells one try from another: a late copy does not take the place of a newer one.
        case fill(VolumeContent, ticket: String)
        /// Takes a file of the pool.
        case adopt(String)
        /// Gives the volume away as a file.
        case release(String)
        case remove
        /// Brings the volume into another pool. Until it is whole there, the specification names the former pool.
        case move(to: String, isThin: Bool, ticket: String)
        /// Removes the file of the pool in which the volume was. The volume is whole.
        case leave(String)
    }

    var ticket: String? {
        switch work {
        case .fill(_, let ticket)?, .move(_, _, let ticket)?: ticket
        default: nil
        }
    }

    /// The volume as it is going to be in its new pool; nil if it does not move.
    var moved: HostedVolume? {
        guard case .move(let pool, let isThin, _) = work else { return nil }
        var moved = self
        (moved.spec.pool, moved.spec.isThin) = (pool, isThin)
        return moved
    }

    /// Whether all bytes are there, and nothing but a former file is left to do.
    var isWhole: Bool { if case .leave = work { true } else { work == nil } }
}
