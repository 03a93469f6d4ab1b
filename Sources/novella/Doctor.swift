import ArgumentParser
import ControlPlane
import Foundation

struct Doctor: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what this host lacks to run machines, and the remedy.",
        discussion: """
            It also counts the usage of all projects again and compares it with the usage that the database keeps.
            It changes nothing, and exits with 1 when something is lacking. On Debian `make up` installs what is missing.
            """)

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let configuration = try common.load().configuration
        let directory = configuration.stateDirectory
        let host = HostCheck.run(
            path: ProcessSetup.environment["PATH"] ?? "", isRoot: ProcessSetup.isRoot, directory: directory)
        let findings = host + [await UsageCheck.run(configuration, directory)]
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            let verdict = finding.verdict.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
            Terminal.say("\(verdict)  \(finding.name.padding(toLength: width, withPad: " ", startingAt: 0))  \(finding.text)")
        }
        if findings.contains(where: { $0.verdict == .lacking }) { throw ExitCode.failure }
        Terminal.say("\nThis host can run machines.")
    }
}
