import ArgumentParser
import CloudCore
import ControlPlane

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the keys that seal tokens and stored secrets, and make new ones.",
        discussion: "It asks the running cloud as its administrator. The bytes of keys are never shown.",
        subcommands: [List.self, Rotate.self])

    struct List: ReportingCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys.")

        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        func work() async throws {
            try Keys.tell(await OperatorClient(common).call("GET", "/keys"), output.format)
        }
    }

    struct Rotate: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new key seal tokens from now on.",
            discussion: "Tokens that were given before stay valid: the old keys open what they sealed for as long as it may be shown.")

        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        func work() async throws {
            try Keys.tell(await OperatorClient(common).call("POST", "/keys/rotate"), output.format)
        }
    }

    private static func tell(_ answer: JSON, _ format: OutputFormat) throws {
        let keys = answer["keys"]?.array ?? []
        if format == .json { return Terminal.say(JSON.array(keys).text) }
        var table = TextTable(header: ["KEY", "SEALS", "IN USE SINCE", "STATE"])
        table.rows = keys.map { key in
            [
                key["id"]?.string ?? "-", key["purpose"] == "token" ? "tokens" : "stored secrets", key["used_from"]?.string ?? "-",
                key["current"] == true ? "seals and opens" : "opens what it sealed",
            ]
        }
        Terminal.say(table.text)
    }
}
