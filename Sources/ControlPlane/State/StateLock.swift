import Foundation

/// The right to use a state directory. It ends with the process at the latest, however that ends.
package final class StateLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `StartError` that names the process which holds the lock.
    package init(_ directory: StateDirectory) throws {
        descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Files.failure("open", directory.lock) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? Files.text(directory.lock))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            close(descriptor)
            throw StartError(
                "\(directory.path) is in use by another novella\(holder.isEmpty ? "" : ", process \(holder)"). "
                    + "Stop that one, or name another directory with --state.")
        }
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit {
        // Said in so many words: a child that was forked just now has the descriptor too, until it runs its own program, and
        // a close alone would leave the lock with it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
