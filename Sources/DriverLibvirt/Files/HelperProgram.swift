import CloudCore
import HostModel
import Programs

/// Runs a program of the host that reads data of strangers: with little memory and little time.
enum HelperProgram {
    struct Limits {
        /// The seconds after which it is killed.
        var seconds: Int
        var cpuSeconds: UInt
        /// The bytes of its address space.
        var memoryBytes: UInt = 1 << 30

        /// For reading a header or making an empty file.
        static let short = Limits(seconds: 60, cpuSeconds: 30)
        /// For copying a whole disk.
        static let long = Limits(seconds: 3600, cpuSeconds: 3600)
    }

    /// Blocks the thread until the program has ended or was killed.
    ///
    /// - Returns: its end, and what it has said, complaints last. A negative status is that of a signal.
    /// - Throws: `unavailable` when it cannot be started, or was killed after its time.
    static func run(
        _ program: String, _ arguments: [String], _ limits: Limits
    ) throws(CloudError) -> (status: Int32, output: String) {
        let bounds = ProgramRun.Limits(
            memoryBytes: limits.memoryBytes, cpuSeconds: limits.cpuSeconds, outputBytes: 64 << 10)
        do {
            let outcome = try ProgramRun(program, arguments, limits: bounds, seconds: limits.seconds)()
            return (outcome.status, String(decoding: outcome.output, as: UTF8.self) + outcome.complaint)
        } catch .late(let seconds) {
            throw CloudError(
                .unavailable, "The host took too long.", detail: "\(program) \(arguments) was killed after \(seconds) s")
        } catch {
            throw CloudError(.unavailable, "The host cannot run a program.", detail: "\(program): \(error)")
        }
    }

    /// Does the same as `run`; a failure of the program is an error.
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
}
