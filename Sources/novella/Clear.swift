import ArgumentParser
import CloudCore
import ControlPlane

struct Clear: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take off this host what a stopped cloud left running there.",
        discussion: """
            Guests and networks do not end with the cloud. This stops the guests, each with 30 seconds to end, and removes the \
            networks. All data stay: the next `novella up` starts again what ran. It is refused while the cloud runs.

            Example:
              novella clear --state /var/lib/novella
            """)

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let configuration = try common.load().configuration
        let stopped = try await HostClearing.run(
            configuration, directory: configuration.stateDirectory, world: .real, log: configuration.logger)
        guard let stopped else {
            Terminal.say("There is nothing of this cloud on this host.")
            return
        }
        Terminal.say("Stopped \(stopped) \(stopped == 1 ? "server" : "servers") and removed the networks.")
    }
}
