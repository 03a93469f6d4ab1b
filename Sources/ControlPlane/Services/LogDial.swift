package import Logging
import Synchronization

/// The level of the process's log. An operator may change it while the process runs.
package final class LogDial: Sendable {
    /// The dial of the process's own log.
    package static let process = LogDial()

    private let state = Mutex(Logger.Level.info)

    package init() {}

    package var level: Logger.Level {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
