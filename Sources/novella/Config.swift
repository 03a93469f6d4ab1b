import ArgumentParser
import ControlPlane

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the configuration.",
        subcommands: [Show.self, Check.self, Table.self])

    struct Show: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every option's value and where it comes from, as a YAML file.",
            discussion: "Passwords are left out.")

        @OptionGroup var common: CommonOptions

        func work() async throws {
            Terminal.say(try common.load().yaml.trimmingNewline)
        }
    }

    struct Check: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is wrong with a configuration file, without using it.",
            discussion: "The environment is not looked at: a file is right or wrong by itself.")

        @Argument(help: ArgumentHelp("The file.", valueName: "file"))
        var file: String = LoadedConfiguration.standardFile

        func work() async throws {
            _ = try LoadedConfiguration.load(file: file)
            Terminal.say("\(file) is good.")
        }
    }

    /// Prints the tables of docs/configuration.md.
    struct Table: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the documentation's tables of options.", shouldDisplay: false)

        func run() async throws { Terminal.say(Option.markdown.trimmingNewline) }
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
