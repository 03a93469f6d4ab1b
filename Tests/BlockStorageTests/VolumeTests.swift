import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Volumes")
struct VolumeTests {
    @Test("A volume is made, found, changed and deleted", arguments: DatabaseKind.allCases)
    func life(_ kind: DatabaseKind) async throws {
        try await VolumeClient.runAsMember(on: kind) { cloud, client in
            let made = await client.good(
                .post, "/volumes", ["volume": ["name": " a ", "size": 2, "metadata": ["k": "v"]]])
            let id = try #require(made["volume"]?["id"]?.string)
            #expect(made["volume"]?["status"] == "creating")
            #expect(made["volume"]?["name"] == "a")
            try await cloud.settle()
            let volume = await client.show(id)
            #expect(volume["status"] == "available")
            #expect(volume["volume_type"] == "__DEFAULT__")
            #expect(volume["availability_zone"] == "nova")
            #expect(volume["bootable"] == "false")
            #expect(volume["metadata"] == ["k": "v"])
            #expect(volume["links"]?.array?.first?["href"] == .string("http://cloud.test:5000/volume/v3/volumes/\(id)"))
            #expect(await client.names("/volumes?limit=1") == ["a"])
            let changed = await client.good(.put, "/volumes/\(id)", ["volume": ["name": "b", "description": "d"]])
            #expect(changed["volume"]?["name"] == "b")
            #expect(await client.send(.delete, "/volumes/\(id)").status == .accepted)
            #expect(await client.status(id) == "deleting")
            try await cloud.settle()
            #expect(await client.refused(.notFound, .get, "/volumes/\(id)") == "Volume \(id) could not be found.")
            #expect(await client.names("/volumes") == [])
        }
    }

    @Test("There are no backups, but clients may say that a volume is made of none")
    func backups() async throws {
        try await VolumeClient.runAsMember { _, client in
            _ = try await client.volume(["backup_id": .null])
            let id = "11111111-1111-4111-8111-111111111111"
            let body: JSON = ["volume": ["size": 1, "backup_id": .string(id)]]
            #expect(await client.refused(.notFound, .post, "/volumes", body) == "Backup \(id) could not be found.")
        }
    }

    @Test("Users see the host of no volume, and nothing of other projects")
    func privacy() async throws {
        try await VolumeClient.run { _, admin, demo in
            let id = try await demo.volume()
            #expect(await demo.show(id)["os-vol-host-attr:host"] == nil)
            #expect(await admin.show(id)["os-vol-host-attr:host"] == "host-1@volumes#volumes")
            let other = try await admin.volume()
            await demo.refused(.notFound, .get, "/volumes/\(other)")
            await demo.refused(.notFound, .delete, "/volumes/\(other)")
            #expect(await admin.names("/volumes").count == 1)
            #expect(await admin.names("/volumes?all_tenants=1").count == 2)
            #expect(await demo.names("/volumes?all_tenants=1").count == 1)
        }
    }

    @Test("A cloud without a pool makes a volume in error, and a message says why")
    func noPool() async throws {
        try await TestCloud.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let id = try await client.volume()
            #expect(await client.status(id) == "error")
            let message = await client.good(.get, "/messages")["messages"]?.array?.first
            #expect(message?["resource_uuid"] == .string(id))
            #expect(message?["event_id"] == "VOLUME_VOLUME_001_003")
            #expect(message?["user_message"]?.string?.contains("There is no pool") == true)
            await client.good(.delete, "/volumes/\(id)")
            try await cloud.settle()
            await client.refused(.notFound, .get, "/volumes/\(id)")
        }
    }

    @Test("A volume is made from a volume and from a snapshot, and is never smaller than its content")
    func content() async throws {
        try await VolumeClient.runAsMember { _, client in
            let source = try await client.volume(["size": 2])
            let snapshot = try await client.snapshot(of: source)
            let clone = await client.show(try await client.volume(["source_volid": .string(source), "size": .null]))
            #expect(clone["status"] == "available" && clone["size"] == 2 && clone["source_volid"] == .string(source))
            let copy = await client.show(try await client.volume(["snapshot_id": .string(snapshot), "size": 3]))
            #expect(copy["status"] == "available" && copy["size"] == 3 && copy["snapshot_id"] == .string(snapshot))
            let small: JSON = ["volume": ["snapshot_id": .string(snapshot), "size": 1]]
            #expect(await client.refused(.badRequest, .post, "/volumes", small).contains("cannot be smaller than"))
            let both: JSON = ["volume": ["snapshot_id": .string(snapshot), "source_volid": .string(source), "size": 3]]
            #expect(await client.refused(.badRequest, .post, "/volumes", both).contains("May specify only one of"))
            #expect(
                await client.refused(.badRequest, .post, "/volumes", ["volume": ["name": "x"]]).contains(
                    "greater than 0"))
            let nowhere: JSON = ["volume": ["size": 1, "availability_zone": "moon"]]
            #expect(
                await client.refused(.badRequest, .post, "/volumes", nowhere) == "Availability zone 'moon' is invalid.")
        }
    }

    @Test("Lists are filtered, sorted, paged and counted")
    func lists() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            for (name, size) in [("c", 1), ("a", 3), ("b", 2)] as [(String, Int64)] {
                cloud.clock.advance(by: .seconds(1))
                _ = try await client.volume([
                    "name": .string(name), "size": .integer(size), "metadata": ["n": .string(name)],
                ])
            }
            #expect(await client.names("/volumes") == ["b", "a", "c"])
            #expect(await client.names("/volumes?sort=name:asc") == ["a", "b", "c"])
            #expect(await client.names("/volumes?sort_key=size&sort_dir=asc") == ["c", "b", "a"])
            #expect(await client.names("/volumes?name=a") == ["a"])
            #expect(await client.names("/volumes?size=2") == ["b"])
            #expect(await client.names("/volumes?status=error") == [])
            #expect(await client.names("/volumes?bootable=false").count == 3)
            #expect(await client.names("/volumes?metadata=%7B%27n%27%3A%20%27c%27%7D") == ["c"])
            let page = await client.good(.get, "/volumes/detail?limit=2&sort=name:asc&with_count=true")
            #expect(page["count"] == 3)
            let next = try #require(page["volumes_links"]?.array?.first?["href"]?.string)
            #expect(
                next.hasPrefix(
                    "http://cloud.test:5000/volume/v3/volumes/detail?limit=2&sort=name%3Aasc&with_count=true&marker="))
            #expect(await client.names(String(next.dropFirst("http://cloud.test:5000/volume/v3".count))) == ["c"])
            #expect(
                await client.refused(.badRequest, .get, "/volumes?color=1")
                    == "Invalid filters color are found in query options.")
            #expect(await client.good(.get, "/volumes?color=1", minor: 30)["volumes"]?.array?.count == 3)
            await client.refused(.badRequest, .get, "/volumes?sort=color")
            await client.refused(.notFound, .get, "/volumes?marker=nothing")
            let summary = await client.good(.get, "/volumes/summary")["volume-summary"]
            #expect(summary?["total_count"] == 3 && summary?["total_size"] == 6)
            #expect(summary?["metadata"]?["n"]?.array?.count == 3)
        }
    }

    @Test(
        "A volume has the members of its microversion",
        arguments: [
            (12, "group_id", false), (13, "group_id", true), (47, "shared_targets", false),
            (48, "shared_targets", true),
            (62, "volume_type_id", false), (63, "volume_type_id", true), (64, "consumes_quota", false),
            (65, "consumes_quota", true),
        ])
    func members(_ minor: Int, _ member: String, _ isThere: Bool) async throws {
        try await VolumeClient.runAsMember { _, client in
            let id = try await client.volume()
            let volume = await client.good(.get, "/volumes/\(id)", minor: minor)["volume"]
            #expect((volume?[member] != nil) == isThere)
        }
    }

    @Test("Unknown members of a body are refused from 3.53 on, and multiattach is asked by a type alone")
    func bodies() async throws {
        try await VolumeClient.runAsMember { _, client in
            let odd: JSON = ["volume": ["size": 1, "color": "red"]]
            await client.good(.post, "/volumes", odd, minor: 52)
            #expect(
                await client.refused(.badRequest, .post, "/volumes", odd, minor: 53).contains("'color' was unexpected"))
            let old: JSON = ["volume": ["size": 1, "multiattach": true]]
            #expect(
                await client.refused(.badRequest, .post, "/volumes", old).hasPrefix(
                    "multiattach parameter has been removed"))
            #expect(
                await client.refused(.badRequest, .post, "/volumes", ["volume": ["size": 0]])
                    == "Invalid input for field/attribute size. Value: 0. 0 is less than the minimum of 1")
        }
    }

    @Test("The project in the URL must be the token's, and the versions need no token")
    func urls() async throws {
        try await VolumeClient.runAsMember { cloud, client in
            let shown = await cloud.send(
                .get, "/v3/auth/tokens", token: client.token, headers: [.subjectToken: client.token])
            let project = shown.json["token"]?["project"]?["id"]?.string ?? ""
            _ = try await client.volume()
            let page = await client.good(.get, "/\(project)/volumes?limit=1")
            #expect(page["volumes_links"]?.array?.first?["href"]?.string?.contains("/v3/\(project)/volumes?") == true)
            await client.refused(.badRequest, .get, "/0123/volumes")
            #expect(await cloud.send(.get, "/volume/").status == .multipleChoices)
            let versions = await cloud.send(.get, "/volume/v3/")
            #expect(versions.status == .ok && versions.json["versions"]?.array?.first?["version"] == "3.71")
            #expect(await client.send(.get, "/volumes", minor: 72).status == .notAcceptable)
        }
    }
}
