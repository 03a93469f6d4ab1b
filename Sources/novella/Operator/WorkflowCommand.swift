import ArgumentParser
import CloudCore
import ControlPlane

struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow",
        abstract: "Look at the actions that are under way, and help those that are stuck.",
        discussion: """
            It asks the running cloud as its administrator. docs/running.md says what to do when something is stuck.

            Examples:
              novella workflow list --stuck
              novella workflow show 0f6b…
              novella workflow retry --resource compute.server/4f1c…
              novella workflow abandon 0f6b… --reason "the host was replaced"

            It exits with 0 when all was done, with 1 when something was refused or the cloud does not answer, and with 64 when the \
            command line is wrong.
            """,
        subcommands: [List.self, Show.self, Retry.self, Abandon.self])

    struct List: ReportingCommand {
        static let configuration = CommandConfiguration(abstract: "List workflows, newest first.")

        @Flag(help: "Only those that wait for an administrator, or fail again and again.")
        var stuck = false

        @ArgumentParser.Option(help: ArgumentHelp("Only those of a resource, as compute.server/ID.", valueName: "resource"))
        var resource: String?

        @ArgumentParser.Option(help: ArgumentHelp("Only those of a kind, as compute.server.create.", valueName: "kind"))
        var kind: String?

        @ArgumentParser.Option(help: ArgumentHelp("Only those in a status, as running.", valueName: "status"))
        var status: String?

        @ArgumentParser.Option(help: ArgumentHelp("Only those of a project.", valueName: "id"))
        var project: String?

        @ArgumentParser.Option(help: ArgumentHelp("The most that are listed.", valueName: "n"))
        var limit = 100

        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        mutating func validate() throws {
            if limit < 1 { throw ValidationError("--limit must be 1 or more.") }
        }

        func work() async throws {
            let found = try await OperatorClient(common).workflows(
                [
                    ("stuck", stuck ? "true" : nil), ("resource", resource.map(WorkflowChoice.key)), ("kind", kind), ("status", status),
                    ("project_id", project),
                ], limit: limit)
            Terminal.say(output.format == .json ? JSON.array(found).text : WorkflowText.table(found))
        }
    }

    struct Show: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a workflow: its steps, what it waits for, what failed, and what waits behind it.")

        @OptionGroup var choice: WorkflowChoice
        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        func work() async throws {
            let client = try await OperatorClient(common)
            var all: [JSON] = []
            for id in try await choice.chosen(client, isForActing: false) {
                all.append(try await client.call("GET", "/workflows/\(id)")["workflow"] ?? .null)
            }
            if output.format == .json { return Terminal.say(JSON.array(all).text) }
            Terminal.say(all.map(WorkflowText.whole).joined(separator: "\n\n"))
        }
    }

    struct Retry: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let stuck workflows try again, once the cause is removed.",
            discussion: "Each begins again at the step where it stands, with all its attempts.")

        @OptionGroup var choice: WorkflowChoice
        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        func work() async throws {
            try await choice.act(try await OperatorClient(common), "retry", nil, output.format) { "\($0) is tried again." }
        }
    }

    struct Abandon: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "End workflows where they are, without an undo.",
            discussion: """
                What waits behind them on the same resource begins. What they have left in the world stays, and is yours to clean up. \
                The reason is kept with the workflow.
                """)

        @ArgumentParser.Option(help: ArgumentHelp("Why, in at most 255 characters.", valueName: "text"))
        var reason: String

        @OptionGroup var choice: WorkflowChoice
        @OptionGroup var output: FormatOption
        @OptionGroup var common: CommonOptions

        func work() async throws {
            let body: JSON = ["reason": .string(reason)]
            try await choice.act(try await OperatorClient(common), "abandon", body, output.format) { "\($0) is abandoned." }
        }
    }
}

/// The workflows to which a command applies.
struct WorkflowChoice: ParsableArguments {
    @Argument(help: ArgumentHelp("The workflows' ids.", valueName: "id"))
    var ids: [String] = []

    @ArgumentParser.Option(help: ArgumentHelp("The workflow that is active on a resource, as compute.server/ID.", valueName: "resource"))
    var resource: String?

    @Flag(help: "All that are stuck.")
    var stuck = false

    mutating func validate() throws {
        let ways = (ids.isEmpty ? 0 : 1) + (resource == nil ? 0 : 1) + (stuck ? 1 : 0)
        if ways != 1 { throw ValidationError("Name the workflows by their ids, by --resource or by --stuck: by one of them.") }
    }

    /// Returns the key of a resource. An id without a kind is the id of a server.
    static func key(_ text: String) -> String { text.contains("/") ? text : "compute.server/\(text)" }

    /// - Parameter isForActing: whether only an active workflow of `resource` is accepted. Otherwise the newest one is
    ///   taken if none is active.
    func chosen(_ client: OperatorClient, isForActing: Bool) async throws -> [String] {
        if !ids.isEmpty { return ids.map(PercentText.encode) }
        if stuck { return try await client.workflows([("stuck", "true")], limit: .max).compactMap { $0["id"]?.string } }
        let key = Self.key(resource ?? "")
        let found = try await client.workflows([("resource", key)], limit: 1000)
        let active = found.first { $0["finished_at"]?.string == nil && $0["status"] != "queued" }
        guard let chosen = active ?? (isForActing ? nil : found.first), let id = chosen["id"]?.string else {
            throw ClientError(isForActing && !found.isEmpty ? "No workflow is active on \(key)." : "There is no workflow of \(key).")
        }
        return [id]
    }

    /// Sends a verb to each chosen workflow. It continues after a refusal, and fails at the end if there was one.
    func act(
        _ client: OperatorClient, _ verb: String, _ body: JSON?, _ format: OutputFormat, _ done: (_ id: String) -> String
    ) async throws {
        var results: [JSON] = []
        var isRefused = false
        let chosen = try await self.chosen(client, isForActing: true)
        for id in chosen {
            do {
                let workflow = try await client.call("POST", "/workflows/\(id)/\(verb)", body)["workflow"] ?? .null
                results.append(workflow)
                if format == .table { Terminal.say(done(id)) }
            } catch let error as ClientError {
                isRefused = true
                Terminal.complain("novella: \(id): \(error.description)")
            }
        }
        if format == .json { Terminal.say(JSON.array(results).text) }
        if chosen.isEmpty, format == .table { Terminal.say("Nothing is stuck.") }
        if isRefused { throw ExitCode.failure }
    }
}
