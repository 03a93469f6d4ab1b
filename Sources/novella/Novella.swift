import ArgumentParser
import ControlPlane

struct Novella: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "novella",
        abstract: "A compute cloud in one program that speaks the OpenStack APIs.",
        discussion: """
            Examples:
              novella up --simulate           the cloud on http://127.0.0.1:5000
              novella up --listen 0.0.0.0:5000 --state /srv/novella

              export OS_CLIENT_CONFIG_FILE=/var/lib/novella/clouds.yaml
              openstack --os-cloud novella-admin token issue

              novella config show             what is set, and where
              novella migrate --check         what an upgrade would change
              novella workflow list --stuck   what waits for you
              novella backup /srv/backup      the cloud as it is now, while it runs
            """,
        version: "novella \(Version.current)",
        subcommands: [
            Up.self, Hello.self, Clear.self, Doctor.self, Inspect.self, WorkflowCommand.self, Keys.self, BackupCommand.self, RestoreCommand.self, VolumeBackupCommand.self,
            Migrate.self, Config.self,
        ])
}
