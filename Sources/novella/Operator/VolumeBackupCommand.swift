import ArgumentParser
import CloudCore
import ControlPlane

struct VolumeBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume-backup",
        abstract: "Look at the backups of volumes that users have made.",
        subcommands: [Verify.self])

    struct Verify: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read all of them, and say which ones are damaged.",
            discussion: """
                Each piece is compared with its SHA-256, as a restore does. The cloud may run meanwhile: it does the
                same by itself, some pieces each hour. This must run where the store of backups is. It changes nothing.

                It exits with 1 when something is damaged or gone.
                """)

        @OptionGroup var common: CommonOptions

        func work() async throws {
            let configuration = try common.load().configuration
            let report = try await BackupVerification.run(
                configuration, configuration.stateDirectory, world: .real, progress: ProgressLine.progress)
            ProgressLine.end()
            for damage in report.damages { Terminal.say(damage) }
            Terminal.say("\(report.examined) pieces, \(report.damages.count) of them damaged or gone")
            if !report.damages.isEmpty { throw ExitCode.failure }
        }
    }
}
