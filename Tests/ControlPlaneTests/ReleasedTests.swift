import CloudCore
import Foundation
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Compute
@testable import ControlPlane

/// Today's code opens what any release has written, and completes what it had begun (docs/releases.md).
@Suite("State of earlier releases") struct ReleasedTests {
    private func withReader(
        _ example: ReleasedExample, _ body: (TestCloud, ReleasedReader, JSON) async throws -> Void
    ) async throws {
        try await example.open { cloud, expected in
            let password = try #require(expected["passwords"]?["admin"]?.string)
            try await body(cloud, ReleasedReader(cloud: cloud, token: try await cloud.token(password: password)), expected)
        }
    }

    @Test("Each release has an example on both databases")
    func examplesAreThere() {
        #expect(ReleasedExample.all.count >= 2 && ReleasedExample.all.contains { $0.version == "0.1" })
    }

    @Test("Every unfinished workflow of a release ends, and every server is in the requested state", arguments: ReleasedExample.all)
    func workflowsEnd(_ example: ReleasedExample) async throws {
        try await withReader(example) { cloud, reader, expected in
            let unfinished: @Sendable (Transaction) throws -> [String] = { tx in
                try tx.rows("SELECT kind FROM workflow WHERE finished_at IS NULL").map { try $0["kind"] }.sorted()
            }
            let began = expected["unfinished"]?.array?.compactMap(\.string) ?? []
            #expect(try await cloud.database.read(unfinished) == began)
            try await cloud.settleAll()
            #expect(try await cloud.database.read(unfinished) == [], "workflows that have not ended")

            let shown = await reader.list("/compute/v2.1/servers/detail?all_tenants=true", "servers")
            let servers = Dictionary(shown.map { ($0["id"]?.string ?? "", $0) }) { $1 }
            for server in expected["servers"]?.array ?? [] {
                let (name, id) = (server["name"]?.string ?? "", server["id"]?.string ?? "")
                #expect(servers[id]?["status"] ?? .null == server["status"], "\(name): \(servers[id]?["fault"]?.text ?? "")")
                guard let found = servers[id] else { continue }
                #expect(found["OS-EXT-STS:task_state"] == .null, "\(name)")
                #expect(found["metadata"]?["of"] == "release" && found["tags"] == ["released"] && found["key_name"] == "alice", "\(name)")
            }
            let wanted = (expected["servers"]?.array ?? []).filter { $0["status"]?.isNull == false }
            #expect(servers.count == wanted.count)
            let gone = await reader.list("/compute/v2.1/servers/detail?all_tenants=true&deleted=true", "servers")
            #expect(gone.count == (expected["servers"]?.array?.count ?? 0) - wanted.count)
            try await changes(servers, reader)
            try await inventory(cloud, reader, servers)
        }
    }

    /// Compares the requested properties other than the state.
    private func changes(_ servers: [String: JSON], _ reader: ReleasedReader) async throws {
        func server(_ name: String) throws -> JSON { try #require(servers.values.first { $0["name"]?.string == name }) }
        func ram(_ name: String) throws -> JSON? { try server(name)["flavor"]?["ram"] }
        #expect(try ram("on-resize") == 128 && ram("on-confirm") == 128 && ram("on-revert") == 64 && ram("rests-resized") == 128)
        #expect(try server("on-attach")["addresses"]?.object?.keys == ["inside", "second"])
        #expect(try server("on-detach")["addresses"] == [:])
        #expect(try server("on-rebuild")["image"] != server("on-reboot")["image"])
    }

    /// Checks that claims, ports, machines and copies of disks are exactly those of the existing servers.
    private func inventory(_ cloud: TestCloud, _ reader: ReleasedReader, _ servers: [String: JSON]) async throws {
        let placed = servers.filter { $0.value["OS-EXT-SRV-ATTR:host"]?.string != nil }
        var claims: [String] = []
        for provider in await reader.list("/placement/resource_providers", "resource_providers") {
            let id = provider["uuid"]?.string ?? ""
            claims += await reader.get("/placement/resource_providers/\(id)/allocations")["allocations"]?.object?.keys ?? []
        }
        // A server that waits for a confirmation has two claims, under two consumers.
        let waiting = placed.filter { $0.value["status"] == "VERIFY_RESIZE" }.count
        #expect(Set(claims).isSuperset(of: placed.keys) && claims.count == placed.count + waiting)
        let machines = cloud.cloud.fleet.simulatedMachines
        #expect(Set(machines.map(\.id)) == Set(placed.keys))
        // A resize may have ended on the host where it began.
        let doubles = placed.values.filter { server in machines.filter { $0.id == server["id"]?.string }.count > 1 }
        #expect(doubles.allSatisfy { $0["status"] == "VERIFY_RESIZE" }, "\(doubles.map { $0["name"]?.text ?? "" })")
        for (id, server) in placed {
            let host = server["OS-EXT-SRV-ATTR:host"]?.string
            let power = machines.first { $0.id == id && $0.host == host }?.power
            let usual = ["ACTIVE": "running", "RESCUE": "running", "PAUSED": "paused", "SUSPENDED": "suspended", "SHUTOFF": "off"]
            guard let status = server["status"]?.string, let wanted = usual[status] else { continue }
            #expect(power == wanted, "\(server["name"]?.text ?? "")")
        }
        #expect(cloud.cloud.fleet.simulatedCopies.isEmpty)
        let ports = await reader.list("/network/v2.0/ports", "ports")
        let owners = Set(ports.filter { $0["device_owner"]?.string?.hasPrefix("compute:") == true }.compactMap { $0["device_id"]?.string })
        #expect(owners.isSubset(of: servers.keys))
    }

    @Test("Usage and the columns of lists are filled from a release's rows", arguments: ReleasedExample.all)
    func listsAreFilled(_ example: ReleasedExample) async throws {
        try await withReader(example) { cloud, _, _ in
            #expect(try await UsageCheck.run(cloud.database).verdict == .good)
            try await cloud.database.read { tx in
                let servers = try ServerStore().list(in: tx)
                let tags = try tx.rows("SELECT server_id, tag FROM compute_server_tag").map {
                    [try $0.value(at: 0) as String, try $0.value(at: 1)]
                }
                #expect(
                    !servers.isEmpty
                        && Set(tags) == Set(servers.flatMap { server in server.tags.map { [server.id.text, $0] } }))
                let gone = try ServerStore().list(.archive, in: tx)
                let columns =
                    """
                    SELECT id, created_at, host, image_id, flavor_id FROM compute_server_archive
                    ORDER BY created_at DESC, id DESC
                    """
                let found = try tx.rows(columns).map(\.values)
                #expect(
                    found
                        == gone.map {
                            [
                                $0.id.sql, $0.createdAt.sql, $0.host.sql, $0.image?.id.text.sql ?? .null,
                                $0.flavor.id.sql,
                            ]
                        })
            }
            try await cloud.settleAll()
            #expect(try await UsageCheck.run(cloud.database).text == "as many as there are rows")
        }
    }

    @Test("Images of a release keep their bytes, and unfinished ones reach the expected status", arguments: ReleasedExample.all)
    func imagesAreWhole(_ example: ReleasedExample) async throws {
        try await withReader(example) { cloud, reader, expected in
            try await cloud.settleAll()
            for (id, status) in expected["images"]?.object?.members ?? [] {
                let image = await reader.get("/image/v2/images/\(id)")
                #expect(image["status"] == status, "\(image["name"]?.text ?? "")")
            }
            for (id, bytes) in expected["data"]?.object?.members ?? [] {
                let data = await cloud.send(.get, "/image/v2/images/\(id)/file", token: reader.token)
                #expect(Data(data.bytes).base64EncodedString() == bytes.string, "\(id)")
            }
            let all = await reader.list("/image/v2/images?limit=100", "images")
            for name in expected["copies"]?.array ?? [] {
                let copy = try #require(all.first { $0["name"] == name })
                #expect(copy["status"] == "active" && copy["size"]?.integer ?? 0 > 0, "\(name.text)")
            }
        }
    }

    @Test("Every list of a release has the rows that it had", arguments: ReleasedExample.all)
    func listsAreWhole(_ example: ReleasedExample) async throws {
        try await withReader(example) { _, reader, expected in
            for (path, wanted) in expected["lists"]?.object?.members ?? [] {
                let found = await reader.list(path, wanted["list"]?.string ?? "")
                for row in wanted["rows"]?.array ?? [] {
                    #expect(found.contains { $0.has(row) }, "\(path): \(row.text) is not in \(JSON.array(found).text)")
                }
                #expect(found.count >= wanted["rows"]?.array?.count ?? 0, "\(path)")
            }
        }
    }

    @Test("Every credential of a release still works, and a revoked token does not", arguments: ReleasedExample.all)
    func everybodyCanLogIn(_ example: ReleasedExample) async throws {
        try await withReader(example) { cloud, reader, expected in
            let passwords = expected["passwords"] ?? .null
            _ = try await cloud.token(user: "demo", password: passwords["demo"]?.string ?? "", project: "demo")
            let alice = try await cloud.token(user: "alice", password: expected["alice"]?["password"]?.string ?? "", project: "works")
            #expect(await cloud.send(.get, "/v3/auth/projects", token: alice).status == .ok)
            for (name, id) in expected["applicationCredentials"]?.object?.members ?? [] {
                let method: JSON = ["id": id, "secret": .string("the-secret-of-\(name)")]
                let reply = await cloud.send(
                    .post, "/v3/auth/tokens",
                    json: ["auth": ["identity": ["methods": ["application_credential"], "application_credential": method]]])
                #expect(reply.status == .created, "\(name): \(reply.text)")
                let token = reply.headers[.subjectToken]
                #expect(await cloud.send(.get, "/compute/v2.1/servers/detail", token: token).status == .ok, "\(name)")
                let images = await cloud.send(.get, "/image/v2/images", token: token)
                #expect(images.status == (name == "ruled" ? .unauthorized : .ok), "\(name)")
            }
            let bob = await cloud.send(
                .post, "/v3/auth/tokens",
                json: [
                    "auth": [
                        "identity": [
                            "methods": ["password"],
                            "password": ["user": ["name": "bob", "domain": ["id": "default"], "password": "the-password-of-bob"]],
                        ],
                        "scope": ["OS-TRUST:trust": ["id": expected["trust"] ?? .null]],
                    ]
                ])
            #expect(bob.status == .created, "\(bob.text)")
            // The sealed secret can still be opened: the list shows it in plain text.
            let credentials = await reader.list("/v3/credentials?type=ec2", "credentials")
            #expect(credentials.contains { $0["blob"]?.string?.contains(expected["ec2"]?["secret"]?.string ?? "-") == true })
            let revoked = await cloud.send(.get, "/v3/auth/projects", token: expected["revoked"]?.string)
            #expect(revoked.status == .unauthorized, "a token that was taken back")
        }
    }
}
