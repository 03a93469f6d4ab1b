import CloudCore
import Drivers
import HostModel
import Programs

/// Commands of `ip` for one namespace, run by one process. A command that fails does not stop the next ones.
struct Batch {
    private(set) var lines: [String] = []

    mutating func add(_ line: String) { lines.append(line) }

    /// Runs the commands.
    ///
    /// - Returns: the failures in the program's words, each with its command; empty if there was none.
    func run(in namespace: Namespace) throws(CloudError) -> [String] {
        guard !lines.isEmpty else { return [] }
        let outcome = try ChildProcess.run("ip", ["-force", "-batch", "-"], input: lines.joined(separator: "\n") + "\n", in: namespace)
        guard outcome.status != 0 else { return [] }
        // A line such as "Command failed -:12" follows the error of line 12.
        var failed: [String] = []
        var words: [Substring] = []
        for line in outcome.complaint.split(separator: "\n") {
            guard let number = line.wholeMatch(of: /Command failed -:(\d+)/).flatMap({ Int($0.1) }), lines.indices.contains(number - 1) else {
                words.append(line)
                continue
            }
            failed.append("ip \(lines[number - 1]): \(words.joined(separator: " "))")
            words = []
        }
        return failed.isEmpty ? ["ip: \(outcome.complaint)"] : failed
    }
}
