import ControlPlane
import Foundation
import Synchronization

/// One line of standard error with the progress of a command. A terminal shows the newest text in the same line;
/// elsewhere each step gets its own line.
enum ProgressLine {
    private struct State {
        var last = ""
        var shownAt: ContinuousClock.Instant?
    }

    private static let state = Mutex(State())
    private static let isTerminal = isatty(2) == 1
    /// The shortest time between two updates of the same step on a terminal.
    private static let interval = Duration.milliseconds(200)

    static let progress = BackupProgress { text in
        state.withLock { state in
            // The word before the colon names the step.
            let isNew = state.last.prefix { $0 != ":" } != text.prefix { $0 != ":" }
            let now = ContinuousClock.now
            guard isNew || (isTerminal && state.shownAt.map { now - $0 >= interval } ?? true) else { return }
            (state.last, state.shownAt) = (text, now)
            Terminal.progress(isTerminal ? "\r\u{1b}[K  \(text)" : "  \(text)\n")
        }
    }

    static func end() {
        if isTerminal { Terminal.progress("\r\u{1b}[K") }
    }
}
