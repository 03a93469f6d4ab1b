import ArgumentParser
import CloudCore
import ControlPlane

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say why things are as they are.", subcommands: [Why.self])

    struct Why: ReportingCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what was done to a server, and why it failed: for each host the filter that said no.",
            discussion: "It asks the running cloud as its administrator.")

        @Argument(help: ArgumentHelp("Its id or its name.", valueName: "server"))
        var server: String

        @OptionGroup var common: CommonOptions

        func work() async throws {
            let cloud = try KnownCloud(in: try common.load().configuration.stateDirectory)
            let client = try await CloudClient(cloud, user: "admin", password: cloud.adminPassword)
            for found in try await servers(client) { try await tell(found, client) }
        }

        private func servers(_ client: CloudClient) async throws -> [JSON] {
            let all = try await client.call("GET", "compute", "/servers/detail?all_tenants=1")["servers"]?.array ?? []
            let found = all.filter { $0["id"]?.string == server || $0["name"]?.string == server }
            guard !found.isEmpty else { throw ClientError("There is no server \(server).") }
            return found
        }

        private func tell(_ server: JSON, _ client: CloudClient) async throws {
            func text(_ key: String) -> String { server[key]?.string ?? "-" }
            Terminal.say("\(text("name")) (\(text("id"))) is \(text("status")), on host \(text("OS-EXT-SRV-ATTR:host"))")
            if let task = server["OS-EXT-STS:task_state"]?.string {
                let progress = try await client.headers("GET", "compute", "/servers/\(text("id"))")["x-novella-progress"]
                Terminal.say("  under way: \(task)" + (progress.map { ", \($0) %" } ?? ""))
            }
            if let fault = server["fault"] {
                Terminal.say("  fault: \(fault["message"]?.string ?? "")")
                // The scheduler writes one part for each host.
                for part in (fault["details"]?.string ?? "").split(separator: "; ") { Terminal.say("    \(part)") }
            }
            let path = "/servers/\(text("id"))/os-instance-actions"
            for action in try await client.call("GET", "compute", path)["instanceActions"]?.array ?? [] {
                let message = action["message"]?.string.map { ": \($0)" } ?? ""
                Terminal.say("  \(action["start_time"]?.string ?? "")  \(action["action"]?.string ?? "")\(message)  (\(action["request_id"]?.string ?? ""))")
            }
        }
    }
}
