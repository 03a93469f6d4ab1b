import CloudCore
@testable import Compute
import ControlPlane
import SQL
import TestSupport
import Testing

@Suite("Kept usage")
struct KeptUsageTests {
    @Test(
        "After random changes through the stores the kept usage is what a fresh count finds",
        arguments: DatabaseKind.allCases)
    func random(kind: DatabaseKind) async throws {
        try await TestDatabase.withDatabase(kind, schemas: [.compute]) { test in
            var random = SplitMix64(seed: 11)
            for round in 0..<20 {
                let changes = (0..<6).map { _ in Change(&random) }
                try await test.database.write { tx in for change in changes { try change.run(in: tx) } }
                let differences = try await test.database.read { tx in try Ledger.compute.differences(in: tx) }
                #expect(differences == [], "round \(round)")
            }
            for (project, user) in Change.projects.flatMap({ project in ([nil] + Change.users).map { (project, $0) } })
            {
                let (used, rows) = try await test.database.read { tx in
                    let user = user ?? ""
                    return (
                        try QuotaStore().usage(project: project, user: user.isEmpty ? nil : user, in: tx),
                        try tx.rows(
                            "SELECT vcpus, ram FROM compute_server WHERE project_id = ? AND ? IN (user_id, '')",
                            project, user)
                    )
                }
                #expect(used[.instances, default: 0] == rows.count)
                #expect(try used[.cores, default: 0] == rows.reduce(0) { $0 + (try $1["vcpus"] as Int) })
                #expect(try used[.ram, default: 0] == rows.reduce(0) { $0 + (try $1["ram"] as Int) })
            }
            for user in Change.users {
                let pairs = try await test.database.read { tx in
                    (
                        kept: try KeyPairStore().count(of: user, in: tx),
                        there: try KeyPairStore().list(of: user, in: tx).count
                    )
                }
                #expect(pairs.kept == pairs.there)
            }
        }
    }

    private struct Change {
        static let projects = ["p", "q"]
        static let users = ["u", "v"]

        private let verb: Int
        private let number: Int
        private let project: String
        private let user: String
        private let ram: Int

        init(_ random: inout SplitMix64) {
            verb = Int.random(in: 0..<9, using: &random)
            number = Int.random(in: 0..<10, using: &random)
            project = Self.projects.randomElement(using: &random) ?? "p"
            user = Self.users.randomElement(using: &random) ?? "u"
            ram = Int.random(in: 1...8, using: &random) * 512
        }

        private var id: ID<Kind.Server> { ID("\(number)1111111-1111-4111-8111-111111111111") }
        private var groupID: ID<ServerGroup> { ID("\(number)2222222-2222-4222-8222-222222222222") }

        func run(in tx: Transaction) throws {
            let (store, groups, pairs) = (ServerStore(), ServerGroupStore(), KeyPairStore())
            let old = try store.find(id, in: tx)
            switch (verb, old) {
            case (0...2, nil): try store.insert(server(), in: tx)
            case (3, var server?):
                server.flavor = ServerStage.flavor("other", ram: ram)
                server.flavor.vcpus = ram / 512
                try store.update(server, in: tx)
            case (4, var server?):
                server.state = .softDeleted
                server.tags = [project, user]
                try store.update(server, in: tx)
            case (5, let server?): try store.archive(server, at: Timestamp(seconds: 5), in: tx)
            case (6, _):
                if try groups.find(groupID, in: tx) == nil {
                    try groups.insert(
                        ServerGroup(
                            id: groupID, projectID: project, userID: user, name: "g", policy: .affinity,
                            createdAt: Timestamp(seconds: 0)),
                        in: tx)
                } else {
                    try groups.delete(groupID, in: tx)
                }
            case (7, _):
                if try !pairs.delete("k\(number)", of: user, in: tx) {
                    try pairs.insert(
                        KeyPair(
                            userID: user, name: "k\(number)", number: number, kind: .ssh, publicKey: "",
                            fingerprint: "",
                            createdAt: Timestamp(seconds: 0)), in: tx)
                }
            // Rows that no store writes so.
            case (8, _):
                try tx.execute(
                    "UPDATE compute_server SET project_id = ?, user_id = ?, vcpus = vcpus + 1 WHERE ram > ?", project,
                    user, ram)
            default: break
            }
        }

        private func server() -> Server {
            var server = ServerStage.server(.test())
            (server.id, server.projectID, server.userID) = (id, project, user)
            server.flavor = ServerStage.flavor(ram: ram)
            return server
        }
    }
}
