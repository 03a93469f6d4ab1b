import ArgumentParser
import CloudCore
import ControlPlane

struct BackupCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Make a backup of a cloud, which may run meanwhile.",
        discussion: """
            The database, the master key, the files for clients and the data of images, as they are at one moment, in a new folder. \
            The disks of servers are not in it. It must run where the state directory is, as a user who may read it: the API does not give \
            away the master key. docs/running.md says what a restored cloud is like.

            Example:
              novella backup /srv/backups/2026-11-29

            It exits with 0 when the backup is whole, and with 1 when there is none.
            """)

    @Argument(help: ArgumentHelp("The folder to make. It must not be there, or be empty.", valueName: "folder"))
    var folder: String

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let configuration = try common.load().configuration
        let manifest = try await Backup.run(
            configuration, of: configuration.stateDirectory, to: folder, world: .real, progress: ProgressLine.progress)
        ProgressLine.end()
        Terminal.say(
            """
            The backup of \(manifest.madeAt.iso8601Seconds) is in \(folder): the database, \(manifest.blobs.count) images' data \
            (\(BackupProgress.size(manifest.blobBytes))).
            It has the master key and the administrator's password in it: whoever reads it can be anybody in this cloud. Keep it where \
            only you can read it.
            """)
    }
}

struct RestoreCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a state directory of a backup.",
        discussion: """
            The state directory must not be there, or be empty; with PostgreSQL the database must be empty too. The backup is \
            checked before anything is made, and a restore that fails leaves nothing behind. Start the cloud afterwards as \
            always. The cloud that the backup was made of must not run any more: two clouds would command the same hosts.

            Example:
              novella restore /srv/backups/2026-11-29 --state /var/lib/novella

            It exits with 0 when all was restored, and with 1 when nothing was.
            """)

    @Argument(help: ArgumentHelp("The folder of the backup.", valueName: "folder"))
    var folder: String

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let configuration = try common.load().configuration
        let directory = configuration.stateDirectory
        let manifest = try await Restore.run(
            configuration, from: folder, to: directory, world: .real, progress: ProgressLine.progress)
        ProgressLine.end()
        Terminal.say(
            """
            \(directory.path) is the cloud as it was at \(manifest.madeAt.iso8601Seconds). Start it with `novella up`.
            Servers that were made later, and disks, are not in it: docs/running.md says what to look at.
            """)
    }
}
