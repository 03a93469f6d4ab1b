import CloudCore
import ControlPlane
import Durable
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Compute

/// OpenStack's security advisories about servers. The tests of the drivers cover guest networks and disks.
@Suite("Advisories on Compute")
struct AdvisoryTests {
    /// Uploads an image as its owner and returns its id.
    private static func image(_ client: ComputeClient, _ more: JSONObject = [:]) async -> String {
        var body: JSONObject = ["name": "another", "disk_format": "raw", "container_format": "bare"]
        for (key, value) in more.members { body[key] = value }
        let id = await client.cloud.send(.post, "/image/v2/images", token: client.token, json: .object(body)).json["id"]?.string ?? ""
        let filled = await client.cloud.send(
            .put, "/image/v2/images/\(id)/file", token: client.token, bytes: [UInt8](repeating: 1, count: 1024), type: "application/octet-stream")
        #expect(filled.status == .noContent, "\(filled.text)")
        return id
    }

    private static func body(_ image: String?, _ more: JSONObject = [:]) -> JSON {
        var server: JSONObject = ["name": "one", "flavorRef": "small", "networks": "none"]
        if let image { server["imageRef"] = .string(image) }
        for (key, value) in more.members { server[key] = value }
        return ["server": .object(server)]
    }

    @Test("ossa_2013_001 Ids in a server request are looked up with the rights of the user, and impossible devices are refused")
    func ossa_2013_001() async throws {
        try await ServerTests.run { admin, image in
            let member = try await ComputeClient.member(admin.cloud)
            let secret = await Self.image(admin, ["visibility": "private"])
            let nothing = "99999999-9999-4999-8999-999999999999"
            let unseen = await member.refused(.badRequest, .post, "/servers", Self.body(secret))
            #expect(unseen == (await member.refused(.badRequest, .post, "/servers", Self.body(nothing))))
            let own = try await ServerTests.boot(member, image)
            await member.refused(.badRequest, .post, "/servers/\(own)/action", ["rebuild": ["imageRef": .string(secret)]])

            func device(_ source: String, _ destination: String, _ id: String, _ more: JSONObject = [:]) -> JSON {
                var device: JSONObject = ["source_type": .string(source), "destination_type": .string(destination), "boot_index": 0]
                if source != "blank" { device["uuid"] = .string(id) }
                for (key, value) in more.members { device[key] = value }
                return .object(device)
            }
            let devices = [
                device("volume", "volume", nothing), device("snapshot", "volume", nothing), device("image", "volume", secret, ["volume_size": 1]),
                device("blank", "volume", nothing, ["volume_size": 1]), device("image", "local", secret),
            ]
            for device in devices {
                for named in [nil, image] {
                    await member.refused(.badRequest, .post, "/servers", Self.body(named, ["block_device_mapping_v2": [device]]))
                }
            }
            await member.refused(.badRequest, .post, "/servers", Self.body(image, ["block_device_mapping": [["volume_id": .string(nothing)]]]))
            #expect(await member.good(.get, "/servers")["servers"]?.array?.count == 1)
            await member.refused(.badRequest, .post, "/servers", Self.body(nil, ["block_device_mapping_v2": [device("image", "local", image)]]))
            await member.good(.post, "/servers", Self.body(image, ["block_device_mapping_v2": [device("image", "local", image)]]))
        }
    }

    @Test("ossa_2015_017 ossa_2016_011 ossa_2015_015 Deleting a server at any step of any action on it leaves nothing", arguments: WorkflowTests.fixtures)
    func ossa_2015_017(_ fixture: WorkflowFixture) async throws {
        // The fixture of the delete itself is skipped: a second delete is answered with the first.
        guard fixture.outline.key.kind != DeleteServer.kind else { return }
        try await fixture.overtaken(on: .usual) { workflows, tx in
            try workflows.start(
                DeleteServer.self, .init(serverID: ServerStage.id), on: Server.resource(ServerStage.id), as: ServerStage.principal,
                options: .init(whenBusy: .supersede), in: tx)
        } afterwards: { workflows, tx in
            // The lost host of an evacuation is back and reports.
            let evacuated = try MigrationStore().list(
                .init(source: ServerStage.host, status: "done", kind: ServerMigration.Kind.evacuation.rawValue), in: tx)
            return try evacuated.first.map { migration in
                try workflows.start(
                    SweepHost.self, .init(serverID: migration.serverID, migrationID: migration.id, host: ServerStage.host),
                    on: Server.resource(migration.serverID), as: nil, in: tx)
            }
        } judge: { line, lines in
            // The records of the past stay, and so do a new image and the volumes of the server's user, which are free.
            var own = [ServerStage.volume()]
            // A root disk that is made with its server goes with it.
            if fixture.outline.key.kind != CreateServerWithVolumes.kind { own.append(ServerStage.volume("/dev/vda")) }
            var kept = ["archived ", "migration ", "images: "] + own.map { "volumes: \($0.volumeID) available" }
            // An image of volumes is nothing without its snapshots.
            if lines.contains(where: { $0.hasPrefix("images: ") }) { kept.append("volumes: snapshot ") }
            return kept.contains { line.hasPrefix($0) }
        }
    }

    @Test("ossa_2017_005 ossa_2017_006 A rebuild checks again whether the image may run on the host, and claims nothing more")
    func ossa_2017_005() async throws {
        try await ServerTests.run(hosts: 1) { client, image in
            let id = try await ServerTests.boot(client, image)
            func claims() async -> JSON {
                await client.cloud.send(.get, "/placement/allocations/\(id)", token: client.token).json["allocations"] ?? .null
            }
            let before = await claims()
            #expect(before.object?.members.count == 1)
            let foreign = await Self.image(client, ["hw_architecture": "s390x"])
            let path = "/servers/\(id)/action"
            let message = await client.refused(.conflict, .post, path, ["rebuild": ["imageRef": .string(foreign)]])
            #expect(message.hasPrefix("No valid host was found."))
            let shown = await client.good(.get, "/servers/\(id)")["server"]
            #expect(shown?["status"] == "ACTIVE" && shown?["image"]?["id"] == .string(image) && shown?["OS-EXT-STS:task_state"] == .null)

            // After the server has come to the host, the host is reserved for some images.
            let group = await client.good(.post, "/os-aggregates", ["aggregate": ["name": "licensed"]])["aggregate"]?["id"]?.text ?? ""
            await client.good(.post, "/os-aggregates/\(group)/action", ["set_metadata": ["metadata": ["isolated_image_property": "licence"]]])
            await client.good(.post, "/os-aggregates/\(group)/action", ["add_host": ["host": "host-1"]])
            let plain = await Self.image(client)
            await client.refused(.conflict, .post, path, ["rebuild": ["imageRef": .string(plain)]])
            // A rebuild with the server's own image is no change of image.
            await client.good(.post, path, ["rebuild": ["imageRef": .string(image)]])
            try await ServerTests.settle(client)
            let licensed = await Self.image(client, ["licence": "1"])
            await client.good(.post, path, ["rebuild": ["imageRef": .string(licensed)]])
            try await ServerTests.settle(client)
            #expect(await client.good(.get, "/servers/\(id)")["server"]?["image"]?["id"] == .string(licensed))
            #expect(await claims() == before)
        }
    }

    @Test("ossa_2012_009 The number of scheduler hints is limited, and more hints cost no more transactions")
    func ossa_2012_009() async throws {
        try await ServerTests.run { client, image in
            func create(_ count: Int) async -> (status: HTTPResponse.Status, cost: Int) {
                let database = client.cloud.database
                let before = database.transactions
                let other = JSON.array(Array(repeating: "99999999-9999-4999-8999-999999999999", count: count))
                var body = Self.body(image).object ?? [:]
                body["os:scheduler_hints"] = ["different_host": other]
                let status = await client.send(.post, "/servers", .object(body)).status
                return (status, database.transactions - before)
            }
            _ = await create(1)
            let one = await create(1)
            let many = await create(2500)
            #expect(one.status == .accepted && many.status == .accepted && many.cost == one.cost, "\(one), \(many)")
            #expect(await create(20_000).status == .contentTooLarge)
            try await ServerTests.settle(client)
            let shown = await client.good(.get, "/servers/detail")["servers"]?.array ?? []
            #expect(shown.map { $0["status"] } == ["ACTIVE", "ACTIVE", "ACTIVE"])
        }
    }

    @Test("ossa_2012_009 A server with many scheduler hints costs as many statements and steps as one with few")
    func ossa_2012_009_work() async throws {
        try await ServerTests.run { client, image in
            func cost(_ count: Int) async throws -> (statements: Int, steps: Int) {
                let database = client.cloud.database
                let before = (database.statements, database.steps)
                let other = JSON.array(Array(repeating: "99999999-9999-4999-8999-999999999999", count: count))
                var body = Self.body(image).object ?? [:]
                body["os:scheduler_hints"] = ["different_host": other]
                let made = await client.good(.post, "/servers", .object(body))["server"]?["id"]?.string ?? ""
                try await ServerTests.settle(client)
                let cost = (database.statements - before.0, database.steps - before.1)
                // The next one finds the cloud as this one did.
                #expect(await client.send(.delete, "/servers/\(made)").status == .noContent)
                try await ServerTests.settle(client)
                return cost
            }
            _ = try await cost(1)
            let (few, many) = (try await cost(1), try await cost(2500))
            #expect(many.statements == few.statements)
            #expect(many.steps <= few.steps + few.steps / 20, "\(few), \(many)")
        }
    }

    @Test("ossa_2026_006 Console output of a guest is sent as JSON, never as a page")
    func ossa_2026_006() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            let reply = await client.send(.post, "/servers/\(id)/action", ["os-getConsoleOutput": [:]])
            #expect(reply.status == .ok && reply.headers[.contentType] == "application/json")
        }
    }

    @Test("ossa_2019_003 A user sees why a server failed in the cloud's words; only operators see the host's words")
    func ossa_2019_003() async throws {
        try await ServerTests.run { admin, image in
            let member = try await ComputeClient.member(admin.cloud)
            let id = try await ServerTests.boot(member, image, ["metadata": ["simulate:fault": "boot-fails"]])
            let shown = await member.send(.get, "/servers/\(id)")
            let fault = shown.json["server"]?["fault"]
            #expect(shown.json["server"]?["status"] == "ERROR" && fault?["message"]?.string?.isEmpty == false && fault?["details"] == nil)
            var texts = [fault?.text ?? ""]
            let actions = await member.good(.get, "/servers/\(id)/os-instance-actions")["instanceActions"]?.array ?? []
            for action in actions {
                let path = "/servers/\(id)/os-instance-actions/\(action["request_id"]?.string ?? "")"
                for minor in [1, 51, 62, 84, 104] { texts.append(await member.send(.get, path, minor: minor).text) }
            }
            #expect(texts.count > 1)
            for text in texts { #expect(!text.contains("simulated:") && !text.contains("host-"), "\(text)") }
            #expect(await admin.good(.get, "/servers/\(id)")["server"]?["fault"]?["details"]?.string?.contains("simulated:") == true)
        }
    }

    @Test("ossa_2026_001 Headers that state an identity are ignored", arguments: ["/compute/v2.1/os-services", "/placement/resource_providers", "/image/v2/cache"])
    func ossa_2026_001(path: String) async throws {
        try await ServerTests.run { admin, _ in
            let member = try await ComputeClient.member(admin.cloud)
            var headers = HTTPFields()
            for (name, value) in [
                ("X-Roles", "admin"), ("X-Role", "admin"), ("X-Project-Id", "admin"), ("X-User-Id", "admin"), ("X-Tenant-Id", "admin"),
                ("X-Identity-Status", "Confirmed"), ("X-Is-Admin-Project", "True"), ("X-Service-Roles", "service"),
            ] { headers[try #require(HTTPField.Name(name))] = value }
            #expect(await admin.cloud.send(.get, path, headers: headers).status == .unauthorized)
            #expect(await admin.cloud.send(.get, path, token: member.token, headers: headers).status == .forbidden)
            #expect([.ok, .notFound].contains(await admin.cloud.send(.get, path, token: admin.token).status))
        }
    }

    @Test("ossa_2012_003 Long names are refused, and answers do not repeat them")
    func ossa_2012_003() async throws {
        try await ServerTests.run { client, image in
            let long = String(repeating: "x", count: 100_000)
            let bodies: [(String, JSON)] = [
                ("/servers", Self.body(image, ["name": .string(long)])), ("/servers", Self.body(image, ["metadata": ["a": .string(long)]])),
                ("/servers", Self.body(long)), ("/os-keypairs", ["keypair": ["name": .string(long)]]),
                ("/flavors", ["flavor": ["name": .string(long), "ram": 1, "vcpus": 1, "disk": 1]]),
                ("/os-server-groups", ["server_group": ["name": .string(long), "policy": "affinity"]]),
                ("/os-aggregates", ["aggregate": ["name": .string(long)]]),
            ]
            for (path, body) in bodies {
                let reply = await client.send(.post, path, body)
                #expect(reply.status == .badRequest && reply.bytes.count < 2000, "\(path): \(reply.status), \(reply.bytes.count)")
            }
            for query in ["name=\(long)", "\(long)=1", "sort_key=\(long)", "limit=\(long)", "marker=\(long)", "ip=\(long)", "flavor=\(long)"] {
                let reply = await client.send(.get, "/servers?\(query)")
                #expect(reply.status.code < 500 && reply.bytes.count < 2000, "\(query.prefix(20)): \(reply.status), \(reply.bytes.count)")
            }
        }
    }

    @Test("ossa_2014_038 A search by address costs the same number of transactions, however many servers there are")
    func ossa_2014_038() async throws {
        try await ServerTests.run { client, image in
            func cost() async -> Int {
                let before = client.cloud.database.transactions
                await client.good(.get, "/servers?ip=10")
                return client.cloud.database.transactions - before
            }
            _ = try await ServerTests.boot(client, image)
            _ = await cost()
            let one = await cost()
            for _ in 0..<4 { _ = try await ServerTests.boot(client, image) }
            #expect(await cost() == one)
        }
    }
}
