import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Views of servers by microversion")
struct ServerViewTests {
    /// The minors of 2.1-2.104 at which a view of a server changes.
    private static let minors = [1, 3, 9, 16, 19, 26, 47, 63, 71, 73, 90, 96, 98, 100]
    private static let others: [(path: String, minors: [Int])] = [
        ("", [1]), ("/metadata", [1]), ("/tags", [26]), ("/ips", [1]), ("/os-interface", [1]), ("/diagnostics", [1, 48]),
        ("/os-security-groups", [1]), ("/os-instance-actions", [1, 58]),
    ]

    @Test("Each view has the fields of its microversion")
    func views() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image, ["metadata": ["a": "b"], "tags": ["t"]])
            var text = ""
            func add(_ path: String, _ minor: Int) async {
                let body = await client.good(.get, path, minor: minor)
                let shown = body.text.replacing(id, with: "ID").replacing(image, with: "IMAGE")
                text += "GET \(path.replacing(id, with: "ID")) 2.\(minor)\n    \(shown)\n"
            }
            for minor in Self.minors { await add("/servers/\(id)", minor) }
            for minor in Self.minors { await add("/servers/detail?limit=1", minor) }
            for (path, minors) in Self.others { for minor in minors { await add("/servers/\(id)\(path)", minor) } }
            let action = await client.good(.get, "/servers/\(id)/os-instance-actions")["instanceActions"]?.array?.first?["request_id"]?.string ?? ""
            for minor in [1, 51, 58, 62, 84] { await add("/servers/\(id)/os-instance-actions/\(action)", minor) }
            try Golden.check("servers", text)
        }
    }
}
