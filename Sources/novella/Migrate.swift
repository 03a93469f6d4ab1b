import ArgumentParser
import ControlPlane

struct Migrate: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database to this version's schema.",
        discussion: """
            `novella up` does the same when it starts. Steps are only ever added: there is no way back but a backup.

            Examples:
              novella migrate --check    exits with 2 when there are steps to apply
              novella migrate
            """)

    @Flag(help: "Say what would be applied, and change nothing.")
    var check = false

    @Flag(help: "Count the usage of all projects again; for a difference that `novella doctor` has found.")
    var recount = false

    @OptionGroup var common: CommonOptions

    func work() async throws {
        let configuration = try common.load().configuration
        if recount {
            let tables = try await SchemaSteps.recount(configuration, directory: configuration.stateDirectory)
            for table in tables { Terminal.say("counted \(table)") }
            return
        }
        let steps = try await SchemaSteps.run(
            configuration, directory: configuration.stateDirectory, isDry: check, log: configuration.logger)
        for step in steps { Terminal.say("\(check ? "pending" : "applied") \(step)") }
        if steps.isEmpty { Terminal.say("The database is up to date.") }
        if check, !steps.isEmpty { throw ExitCode(2) }
    }
}
