import CLibvirt
import CloudCore
import Drivers
import Foundation
import HostModel

/// Runs a program of the host that reads what strangers wrote: with little memory, little time, no environment, no open files of
/// ours, and never through a shell.
struct HelperProgram {
    struct Limits {
        /// After so long it is killed.
        var seconds: Int
        var cpuSeconds: Int
        /// Of address space.
        var memoryBytes: Int64 = 1 << 30

        /// For reading a header or making an empty file.
        static let short = Limits(seconds: 60, cpuSeconds: 30)
        /// For copying a whole disk.
        static let long = Limits(seconds: 3600, cpuSeconds: 3600)
    }

    /// What a program has said and how it ended.
    struct Outcome {
        /// Of exit; minus the number of the signal.
        var status: Int32
        var output: String
    }

    /// Blocks the thread until the program has ended or was killed.
    ///
    /// - Throws: `unavailable` when it cannot be started, or was killed after its time.
    static func run(_ program: String, _ arguments: [String], _ limits: Limits) throws(CloudError) -> Outcome {
        let words = [
            "/usr/bin/prlimit", "--as=\(limits.memoryBytes)", "--cpu=\(limits.cpuSeconds)", "--core=0", "--", program,
        ] + arguments
        var pipe: [Int32] = [-1, -1]
        guard clibvirt_pipe(&pipe) == 0 else { throw DurableFile.failure("open", "a pipe") }
        defer { close(pipe[0]) }
        let child = try spawn(words, output: pipe[1])
        close(pipe[1])
        let (output, isLate) = read(pipe[0], seconds: limits.seconds)
        if isLate { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard !isLate else {
            throw CloudError(.unavailable, "The host took too long.", detail: "\(program) \(arguments) was killed after \(limits.seconds) s")
        }
        let signal = status & 0x7f
        return Outcome(status: signal == 0 ? status >> 8 & 0xff : -signal, output: output)
    }

    /// As `run`, and what fails is an error.
    @discardableResult
    static func require(_ program: String, _ arguments: [String], _ limits: Limits) throws(CloudError) -> String {
        let outcome = try run(program, arguments, limits)
        guard outcome.status == 0 else {
            throw CloudError(
                .unavailable, "The host could not prepare the machine's disk.",
                detail: "\(program) \(arguments) ended with \(outcome.status): \(outcome.output)", code: "helper_failed")
        }
        return outcome.output
    }

    /// One heap for all threads: glibc would reserve 64 MiB of address space for each, which alone is more than is allowed to a `qemu-img` that
    /// copies with a dozen of them.
    private static let environment = ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "MALLOC_ARENA_MAX=1"]

    private static func spawn(_ words: [String], output: Int32) throws(CloudError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        clibvirt_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A signal that this process ignores would be ignored by the program as well.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = Self.environment.map { (text: String) in strdup(text) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &environment)
        guard code == 0 else {
            throw CloudError(.unavailable, "The host cannot run a program.", detail: "\(words[0]): \(String(cString: strerror(code)))")
        }
        return child
    }

    /// All output, of which 64 KiB are kept, until the program closes it or the time is over.
    private static func read(_ pipe: Int32, seconds: Int) -> (String, isLate: Bool) {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (end - clock.now).wholeMicroseconds / 1000
            guard left > 0 else { return (String(decoding: kept, as: UTF8.self), true) }
            var poll = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            guard Foundation.poll(&poll, 1, Int32(min(left, 60_000))) > 0 else { continue }
            let count = Foundation.read(pipe, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return (String(decoding: kept, as: UTF8.self), false) }
            if kept.count < 65_536 { kept += buffer[..<count] }
        }
    }
}
