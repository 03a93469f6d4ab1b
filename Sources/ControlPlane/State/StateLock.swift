import Foundation

/// The exclusive right to use a state directory. It ends at the latest with the process, however the process ends.
package final class StateLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: `StartError` that names the process with the lock.
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
        // The lock is released explicitly. A child that was just forked also has the descriptor until it starts its own
        // program, so closing alone would leave the lock with the child.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
