import CPrograms
import CloudCore
import Foundation

/// A run of one of the host's programs: without a shell, with a deadline and limits, and with nothing inherited. It
/// blocks its thread.
package struct ProgramRun {
    /// The limits of a program's resources; nil for the limits of this process.
    package struct Limits: Sendable {
        package var memoryBytes: UInt
        package var cpuSeconds: UInt?
        package var fileBytes: UInt?
        package var openFiles: UInt?
        /// The bytes of output that are kept. The program may write more, which is read and discarded.
        package var outputBytes: Int

        package init(
            memoryBytes: UInt, cpuSeconds: UInt?, fileBytes: UInt? = nil, openFiles: UInt? = nil, outputBytes: Int
        ) {
            self.memoryBytes = memoryBytes
            self.cpuSeconds = cpuSeconds
            self.fileBytes = fileBytes
            self.openFiles = openFiles
            self.outputBytes = outputBytes
        }
    }

    /// The output and the exit status of a program.
    package struct Outcome: Sendable {
        /// The exit status, or minus the number of the signal that ended the program.
        package var status: Int32
        package var output: [UInt8]
        /// The beginning of what it wrote to standard error.
        package var complaint: String
    }

    /// The reason why there is no outcome.
    package enum Failure: Error, CustomStringConvertible {
        case missing
        case notStarted(Int32)
        case late(seconds: Int)
        /// The caller did not want it any more.
        case unwanted

        package var description: String {
            switch self {
            case .missing: "it is not installed"
            case .notStarted(let code): String(cString: strerror(code))
            case .late(let seconds): "it took more than \(seconds) s"
            case .unwanted: "it was not wanted any more"
            }
        }
    }

    /// The name of a program in the system's folders, or an absolute path.
    package var program: String
    package var arguments: [String]
    package var input: [UInt8] = []
    /// A descriptor of the network namespace for the program; -1 for that of this process.
    package var namespace: Int32 = -1
    package var limits: Limits
    /// The seconds after which the program and its children are killed.
    package var seconds: Int
    /// Is given the output piece by piece, as the program writes it.
    package var hear: (([UInt8]) -> Void)?
    /// Is asked about twice a second whether the program is to be killed.
    package var isUnwanted: (() -> Bool)?

    package init(_ program: String, _ arguments: [String], limits: Limits, seconds: Int) {
        self.program = program
        self.arguments = arguments
        self.limits = limits
        self.seconds = seconds
    }

    /// Returns the path of an installed program; nil if there is none.
    package static func path(of program: String) -> String? {
        let folders = program.hasPrefix("/") ? [""] : ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"]
        return folders.map { $0 + program }.first { access($0, X_OK) == 0 }
    }

    /// Runs the program, and returns when it has ended.
    package func callAsFunction() throws(Failure) -> Outcome {
        guard let path = Self.path(of: program) else { throw .missing }
        var pipes = [[Int32](repeating: -1, count: 2), [-1, -1], [-1, -1]]
        for at in pipes.indices {
            let code = program_pipe(&pipes[at])
            if code != 0 {
                for each in pipes.joined() where each >= 0 { close(each) }
                throw .notStarted(code)
            }
        }
        var pid: pid_t = 0
        let code = spawn(path, pipes[0][0], pipes[1][1], pipes[2][1], &pid)
        for each in [pipes[0][0], pipes[1][1], pipes[2][1]] { close(each) }
        guard code == 0 else {
            for each in [pipes[0][1], pipes[1][0], pipes[2][0]] { close(each) }
            throw .notStarted(code)
        }
        var conversation = Conversation(
            open: [pipes[0][1], pipes[1][0], pipes[2][0]], text: input, most: [limits.outputBytes, 4000])
        conversation.hear = hear
        conversation.isUnwanted = isUnwanted
        let end = conversation.run(seconds: seconds, endsWith: pid)
        if end != .itself { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        switch end {
        case .itself: break
        case .late: throw .late(seconds: seconds)
        case .unwanted: throw .unwanted
        }
        let signal = status & 0x7f
        return Outcome(
            status: signal == 0 ? status >> 8 & 0xff : -signal, output: conversation.heard[0],
            complaint: String(decoding: conversation.heard[1], as: UTF8.self))
    }

    private func spawn(
        _ path: String, _ input: Int32, _ output: Int32, _ complaint: Int32, _ pid: inout pid_t
    ) -> Int32 {
        var bounds = program_limits(
            memory_bytes: limits.memoryBytes, cpu_seconds: limits.cpuSeconds ?? 0, file_bytes: limits.fileBytes ?? 0,
            open_files: limits.openFiles ?? 0)
        let words = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        return program_spawn(path, words + [nil], input, output, complaint, namespace, &bounds, &pid)
    }

    /// Ends a process that is not a child of this one: asks it to end, and kills it if it does not.
    ///
    /// - Parameter milliseconds: the time that it has to end by itself.
    package static func end(_ pid: Int32, patience milliseconds: Int32) {
        let process = program_process_descriptor(pid)
        guard process >= 0 else { return }
        defer { close(process) }
        kill(pid, SIGTERM)
        var wait = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        if poll(&wait, 1, milliseconds) <= 0 { kill(pid, SIGKILL) }
    }
}

/// An exchange with a child: its input is written and its two outputs are read at the same time, so that a full pipe on
/// one side does not stop the others.
private struct Conversation {
    /// The ends of the pipes in this process: the child's input, output and error output. A closed one is -1.
    var open: [Int32]
    let text: [UInt8]
    /// The bytes that are kept of each output.
    let most: [Int]
    var heard: [[UInt8]] = [[], []]
    var hear: (([UInt8]) -> Void)?
    var isUnwanted: (() -> Bool)?
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(open: [Int32], text: [UInt8], most: [Int]) {
        self.open = open
        self.text = text
        self.most = most
    }

    /// The reason for the end of an exchange.
    enum End { case itself, late, unwanted }

    /// Returns how the program has ended, or why it is to end. Outputs that a daemon keeps open after its parent has
    /// ended are not waited for.
    mutating func run(seconds: Int, endsWith pid: pid_t) -> End {
        _ = fcntl(open[0], F_SETFL, O_NONBLOCK)
        let process = program_process_descriptor(pid)
        defer { for each in open + [process] where each >= 0 { close(each) } }
        if text.isEmpty { shut(0) }
        let end = ContinuousClock.now + .seconds(seconds)
        var written = 0
        var hasEnded = false
        // A program that closes its outputs may still run.
        while open[1] >= 0 || open[2] >= 0 || process >= 0 && !hasEnded {
            let left = Int32((end - ContinuousClock.now).inSeconds * 1000)
            guard left > 0 else { return .late }
            if isUnwanted?() == true { return .unwanted }
            var polls = [
                pollfd(fd: open[0], events: Int16(POLLOUT), revents: 0),
                pollfd(fd: open[1], events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[2], events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasEnded ? -1 : process, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&polls, 4, hasEnded ? 0 : isUnwanted == nil ? left : min(left, 500))
            if ready < 0 && errno == EINTR { continue }
            if hasEnded && ready == 0 { return .itself }
            if polls[0].revents != 0 {
                let count = text.withUnsafeBytes {
                    program_write(open[0], $0.baseAddress?.advanced(by: written), $0.count - written)
                }
                if count > 0 { written += count }
                if written == text.count || count < 0 && errno != EAGAIN { shut(0) }
            }
            for at in [1, 2] where polls[at].revents != 0 && !take(at) { shut(at) }
            if polls[3].revents != 0 { hasEnded = true }
        }
        return .itself
    }

    private mutating func shut(_ at: Int) {
        close(open[at])
        open[at] = -1
    }

    private mutating func take(_ at: Int) -> Bool {
        let count = read(open[at], &buffer, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        if at == 1 { hear?(Array(buffer.prefix(count))) }
        heard[at - 1].append(contentsOf: buffer.prefix(min(count, most[at - 1] - heard[at - 1].count)))
        return true
    }
}
