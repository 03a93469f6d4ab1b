import Drivers
import Synchronization

/// The source of the contents of backups for all hosts of a simulation. The hosts outlive the control plane that offers
/// it.
final class SimulatedBackups: Sendable {
    private let state = Mutex(BackupSource.none)

    var source: BackupSource {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
