import ArgumentParser
import CloudCore
import ControlPlane
import Logging

/// The options by which every command finds its cloud.
struct CommonOptions: ParsableArguments {
    @ArgumentParser.Option(
        help: ArgumentHelp("The directory in which the cloud keeps its data.", discussion: "Default: /var/lib/novella for root.", valueName: "dir"))
    var state: String?

    @ArgumentParser.Option(
        help: ArgumentHelp("A configuration file.", discussion: "Default: \(LoadedConfiguration.standardFile), if it is there.", valueName: "file"))
    var config: String?

    func load(_ flags: [LoadedConfiguration.Flag] = []) throws(ConfigurationError) -> LoadedConfiguration {
        var flags = flags
        if let state { flags.append(.init("--state", sets: "state.directory", to: state)) }
        return try .load(file: config, environment: ProcessSetup.environment, flags: flags)
    }
}

extension Configuration {
    var stateDirectory: StateDirectory {
        StateDirectory(
            path: state.directory
                ?? StateDirectory.standardPath(environment: ProcessSetup.environment, isRoot: ProcessSetup.isRoot))
    }

    var logger: Logger { LineLog.logger(level: log.level, clock: World.real.clock) }
}

/// A command whose errors become one line on standard error (a configuration error one line for each problem) and the
/// exit code 1.
protocol ReportingCommand: AsyncParsableCommand {
    func work() async throws
}

extension ReportingCommand {
    func run() async throws {
        do {
            try await work()
        } catch let exit as ExitCode {
            throw exit
        } catch let error as ConfigurationError {
            for problem in error.problems { Terminal.complain("novella: \(problem)") }
            throw ExitCode.failure
        } catch {
            Terminal.complain("novella: " + "\(error)".split(separator: "\n").joined(separator: " "))
            throw ExitCode.failure
        }
    }
}
