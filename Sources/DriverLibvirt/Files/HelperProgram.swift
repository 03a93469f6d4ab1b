import CloudCore
import HostModel
import Programs

/// A runner for programs of the host that read data from outside. They get little memory and little time.
enum HelperProgram {
    struct Limits {
        /// The seconds after which the program is killed.
        var seconds: Int
        var cpuSeconds: UInt
        /// The bytes of its address space.
        var memoryBytes: UInt = 1 << 30

        /// The limits for reading a header or making an empty file.
        static let short = Limits(seconds: 60, cpuSeconds: 30)
        /// The limits for copying a whole disk.
        static let long = Limits(seconds: 3600, cpuSeconds: 3600)
    }

    /// Runs a program, and blocks the thread until it has ended or was killed.
    ///
    /// - Returns: the exit status, and the output followed by the error output. A negative status is minus the number
    ///   of a signal.
    /// - Throws: `unavailable` if the program cannot be started, or was killed after its time.
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

    /// Does the same as `run`, and throws if the program fails.
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
