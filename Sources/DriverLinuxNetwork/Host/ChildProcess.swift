import CHostNetwork
import CloudCore
import Foundation

/// Runs one of the host's programs: no shell, a deadline, limits, nothing inherited. Blocks its thread.
enum ChildProcess {
    struct Outcome {
        var status: Int32
        var output: [UInt8]
        var complaint: String
    }

    static let deadlineSeconds = 60

    /// - Parameter namespace: nil for the process's own.
    /// - Throws: `unavailable` when the program is not there, takes too long or is killed. A status other than nought is no error.
    static func run(
        _ program: String, _ arguments: [String], input: String = "", in namespace: Namespace? = nil, seconds: Int = deadlineSeconds
    ) throws(CloudError) -> Outcome {
        guard let path = path(of: program) else { throw failure(program, "it is not installed") }
        var given = [Int32](repeating: -1, count: 2)
        var output = given
        var complaint = given
        guard novella_pipe(&given) == 0, novella_pipe(&output) == 0, novella_pipe(&complaint) == 0 else {
            for each in given + output + complaint where each >= 0 { close(each) }
            throw failure(program, "no pipe")
        }
        // dnsmasq lives on as a daemon with these limits: it may use the CPU for as long as it lives.
        var limits = novella_limits(
            memory_bytes: 2 << 30, cpu_seconds: program == "dnsmasq" ? UInt(Int.max) : 60, file_bytes: 64 << 20, open_files: 1024)
        var pid: pid_t = 0
        let words = [program] + arguments
        let code = withExtendedLifetime(namespace) {
            withArguments(words) { novella_spawn(path, $0, given[0], output[1], complaint[1], namespace?.descriptor ?? -1, &limits, &pid) }
        }
        for each in [given[0], output[1], complaint[1]] { close(each) }
        guard code == 0 else {
            for each in [given[1], output[0], complaint[0]] { close(each) }
            throw failure(program, String(cString: strerror(code)))
        }
        var conversation = Conversation(input: given[1], output: output[0], complaint: complaint[0], text: Array(input.utf8))
        let isInTime = conversation.run(seconds: seconds, endsWith: pid)
        if !isInTime { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        guard isInTime else { throw failure(program, "it took more than \(seconds) s") }
        guard status & 0x7f == 0 else { throw failure(program, "it was ended by signal \(status & 0x7f)") }
        return Outcome(
            status: status >> 8 & 0xff, output: conversation.heard, complaint: String(decoding: conversation.complaints.prefix(4000), as: UTF8.self))
    }

    /// The output of a program that succeeded.
    @discardableResult
    static func require(_ program: String, _ arguments: [String], input: String = "", in namespace: Namespace? = nil) throws(CloudError) -> [UInt8] {
        let outcome = try run(program, arguments, input: input, in: namespace)
        guard outcome.status == 0 else { throw failure(program, outcome.complaint) }
        return outcome.output
    }

    static func failure(_ program: String, _ detail: String) -> CloudError {
        CloudError(.unavailable, "The host's networks cannot be changed now.", detail: "\(program): \(detail)")
    }

    static func path(of program: String) -> String? {
        ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"].map { $0 + program }.first { access($0, X_OK) == 0 }
    }

    private static func withArguments<Value>(_ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value) -> Value {
        let copies = words.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// Writes a child's input and reads what it says, all three at once: a full pipe on either side must not stop both.
private struct Conversation {
    let input: Int32
    let output: Int32
    let complaint: Int32
    var text: [UInt8]
    var heard: [UInt8] = []
    var complaints: [UInt8] = []

    init(input: Int32, output: Int32, complaint: Int32, text: [UInt8]) {
        self.input = input
        self.output = output
        self.complaint = complaint
        self.text = text
    }

    /// False when the time is over. What a daemon's pipes hold after its parent has ended is nobody's answer any more.
    mutating func run(seconds: Int, endsWith pid: pid_t) -> Bool {
        _ = fcntl(input, F_SETFL, O_NONBLOCK)
        let process = novella_process_descriptor(pid)
        var open = [input, output, complaint]
        defer {
            for each in open where each >= 0 { close(each) }
            if process >= 0 { close(process) }
        }
        if text.isEmpty { Self.shut(&open[0]) }
        let end = ContinuousClock.now + .seconds(seconds)
        var written = 0
        var hasEnded = false
        while open[1] >= 0 || open[2] >= 0 {
            let left = Int32((end - ContinuousClock.now).inSeconds * 1000)
            guard left > 0 else { return false }
            var polls = [
                pollfd(fd: open[0], events: Int16(POLLOUT), revents: 0), pollfd(fd: open[1], events: Int16(POLLIN), revents: 0),
                pollfd(fd: open[2], events: Int16(POLLIN), revents: 0), pollfd(fd: hasEnded ? -1 : process, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&polls, 4, hasEnded ? 0 : left)
            if ready < 0 && errno == EINTR { continue }
            if hasEnded && ready == 0 { return true }
            if polls[0].revents != 0 {
                let count = text.withUnsafeBytes { write(open[0], $0.baseAddress?.advanced(by: written), $0.count - written) }
                if count > 0 { written += count }
                if written == text.count || count < 0 && errno != EAGAIN { Self.shut(&open[0]) }
            }
            if polls[1].revents != 0, !Self.take(open[1], &heard) { Self.shut(&open[1]) }
            if polls[2].revents != 0, !Self.take(open[2], &complaints) { Self.shut(&open[2]) }
            if polls[3].revents != 0 { hasEnded = true }
        }
        return true
    }

    private static func shut(_ descriptor: inout Int32) {
        close(descriptor)
        descriptor = -1
    }

    private static func take(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 { bytes.append(contentsOf: buffer.prefix(count)) }
        return count > 0 || count < 0 && (errno == EINTR || errno == EAGAIN)
    }
}
