import CloudCore
import Drivers
import HostModel

/// A volume as the host remembers it.
///
///     (recorded) → work → whole ⇄ work (revert, release)
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
    }

    var ticket: String? { if case .fill(_, let ticket) = work { ticket } else { nil } }
}
