import CloudCore
import Programs

/// A runner for the programs that the host's networks need. It blocks its thread.
enum ChildProcess {
    static let deadlineSeconds = 60

    /// Runs a program.
    ///
    /// - Parameter namespace: the namespace for the program; nil for the process's own.
    /// - Throws: `unavailable` if the program is missing, takes too long or is killed. A status other than zero is not
    ///   an error.
    static func run(
        _ program: String, _ arguments: [String], input: String = "", in namespace: Namespace? = nil,
        seconds: Int = deadlineSeconds
    ) throws(CloudError) -> ProgramRun.Outcome {
        // dnsmasq lives on as a daemon with these limits, so its CPU time must not be limited.
        let limits = ProgramRun.Limits(
            memoryBytes: 2 << 30, cpuSeconds: program == "dnsmasq" ? nil : 60, fileBytes: 64 << 20, openFiles: 1024,
            outputBytes: 256 << 20)
        var run = ProgramRun(program, arguments, limits: limits, seconds: seconds)
        run.input = Array(input.utf8)
        run.namespace = namespace?.descriptor ?? -1
        defer { withExtendedLifetime(namespace) {} }
        let outcome: ProgramRun.Outcome
        do { outcome = try run() } catch { throw failure(program, "\(error)") }
        guard outcome.status >= 0 else { throw failure(program, "it was ended by signal \(-outcome.status)") }
        guard outcome.output.count < limits.outputBytes else { throw failure(program, "it says too much") }
        return outcome
    }

    /// Returns the output of a program, which must succeed.
    @discardableResult
    static func require(
        _ program: String, _ arguments: [String], input: String = "", in namespace: Namespace? = nil
    ) throws(CloudError) -> [UInt8] {
        let outcome = try run(program, arguments, input: input, in: namespace)
        guard outcome.status == 0 else { throw failure(program, outcome.complaint) }
        return outcome.output
    }

    static func failure(_ program: String, _ detail: String) -> CloudError {
        CloudError(.unavailable, "The host's networks cannot be changed now.", detail: "\(program): \(detail)")
    }
}
