import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Files that become volumes")
struct ManagingTests {
    private static let place = "host-1@volumes#volumes"

    private static func body(_ file: String, _ more: JSONObject = [:]) -> JSON {
        var volume: JSONObject = ["host": .string(place), "ref": ["source-name": .string(file)]]
        for (name, value) in more.members { volume[name] = value }
        return ["volume": .object(volume)]
    }

    private static func names(_ json: JSON, _ list: String) -> [String] {
        json[list]?.array?.compactMap { $0["reference"]?["source-name"]?.string } ?? []
    }

    @Test("A volume is given up, its bytes are listed as a file, and the file becomes a volume again")
    func volume() async throws {
        try await VolumeClient.run { cloud, admin, demo in
            let id = try await demo.volume(["size": 2])
            await demo.refused(.forbidden, .post, "/volumes/\(id)/action", ["os-unmanage": [:]])
            let managed = Self.body("\(id).raw")
            #expect(await admin.refused(.badRequest, .post, "/manageable_volumes", managed).contains("already managed"))
            await admin.act(id, "os-unmanage", [:])
            #expect(await admin.status(id) == "unmanaging")
            try await cloud.settle()
            await admin.refused(.notFound, .get, "/volumes/\(id)")
            #expect(await demo.good(.get, "/limits")["limits"]?["absolute"]?["totalGigabytesUsed"] == 0)

            let list = await admin.good(.get, "/manageable_volumes/detail?host=host-1@volumes%23volumes")
            let file = list["manageable-volumes"]?.array?.first
            #expect(file?["reference"] == ["source-name": .string("\(id).raw")])
            #expect(file?["size"] == 2 && file?["safe_to_manage"] == true && file?["reason_not_safe"] == .null)
            await demo.refused(.forbidden, .get, "/manageable_volumes?host=host-1@volumes")
            await demo.refused(.forbidden, .post, "/manageable_volumes", managed)

            let wish = Self.body("\(id).raw", ["name": "back", "metadata": ["a": "b"], "bootable": true])
            let made = await admin.good(.post, "/os-volume-manage", wish, minor: 0)["volume"]
            let new = try #require(made?["id"]?.string)
            #expect(made?["status"] == "creating" && made?["size"] == 0)
            try await cloud.settle()
            let shown = await admin.show(new)
            #expect(shown["status"] == "available" && shown["size"] == 2 && shown["name"] == "back")
            #expect(shown["bootable"] == "true" && shown["metadata"] == ["a": "b"])
            #expect(shown["os-vol-host-attr:host"] == .string(Self.place))
            let rest = await admin.good(.get, "/manageable_volumes?host=host-1@volumes")
            #expect(rest["manageable-volumes"] == [])
            await admin.good(.delete, "/volumes/\(new)")
            try await cloud.settle()
            await admin.refused(.notFound, .get, "/volumes/\(new)")
        }
    }

    @Test("A file that is not there leaves a volume in error, which tells why and can be deleted")
    func missing() async throws {
        try await VolumeClient.runAsAdmin { cloud, admin in
            let made = await admin.good(.post, "/manageable_volumes", Self.body("nothing.raw"))
            let id = try #require(made["volume"]?["id"]?.string)
            try await cloud.settleAll()
            #expect(await admin.status(id) == "error")
            let message = await admin.good(.get, "/messages?resource_uuid=\(id)")["messages"]?.array?.first
            #expect(message?["user_message"]?.string?.contains("nothing.raw") == true)
            await admin.good(.delete, "/volumes/\(id)")
            try await cloud.settle()
            await admin.refused(.notFound, .get, "/volumes/\(id)")
        }
    }

    @Test("A project without room does not get the file, and the file stays")
    func quota() async throws {
        try await VolumeClient.runAsAdmin { cloud, admin in
            let id = try await admin.volume(["size": 3])
            await admin.act(id, "os-unmanage", [:])
            try await cloud.settle()
            let project = await admin.good(.get, "/os-quota-class-sets/default")
            #expect(project["quota_class_set"]?["gigabytes"] == 1000)
            await admin.good(.put, "/os-quota-class-sets/default", ["quota_class_set": ["gigabytes": 2]])
            let made = await admin.good(.post, "/manageable_volumes", Self.body("\(id).raw"))
            try await cloud.settleAll()
            #expect(await admin.status(made["volume"]?["id"]?.string ?? "") == "error")
            let list = await admin.good(.get, "/manageable_volumes?host=host-1@volumes")
            #expect(Self.names(list, "manageable-volumes") == ["\(id).raw"])
        }
    }

    @Test("A request that names no pool, or a file that no reference can name, is refused")
    func refusals() async throws {
        try await VolumeClient.runAsAdmin { _, admin in
            for (body, words) in [
                (Self.body("a.raw", ["host": "host-9@volumes"]), "Host 'host-9@volumes' not found"),
                (Self.body("a.raw", ["host": .null, "cluster": "c"]), "Cluster 'c' not found"),
                (Self.body("a.raw", ["cluster": "c"]), "One and only one"),
                (Self.body("a.raw", ["host": .null]), "One and only one"),
                (Self.body("a.raw", ["ref": ["source-id": "x"]]), "source-name"),
                (Self.body("../volumes/a.raw"), "No file of a pool"), (Self.body("/etc/passwd"), "No file of a pool"),
                (Self.body("a.raw", ["volume_type": "none"]), "Cannot find requested 'none' volume type"),
            ] as [(JSON, String)] {
                let message = await admin.refused(.badRequest, .post, "/manageable_volumes", body)
                #expect(message.contains(words), "\(message)")
            }
            await admin.refused(.badRequest, .post, "/manageable_volumes", Self.body("a.raw"), minor: 7)
            await admin.refused(.badRequest, .get, "/manageable_volumes")
            await admin.refused(.notFound, .get, "/manageable_volumes?host=host-9@volumes")
            await admin.refused(.badRequest, .get, "/manageable_volumes?host=host-1@volumes&sort=color")
            await admin.refused(.badRequest, .get, "/manageable_volumes?host=host-1@volumes&marker=x")
            await admin.good(.put, "/os-services/disable", ["binary": "cinder-volume", "host": "host-1@volumes"])
            await admin.refused(.badRequest, .post, "/manageable_volumes", Self.body("a.raw"))
        }
    }

    @Test("A list of files is sorted and comes in pages")
    func pages() async throws {
        try await VolumeClient.runAsAdmin { cloud, admin in
            var files: [String] = []
            for size in [3, 1, 2] {
                let id = try await admin.volume(["size": .integer(Int64(size))])
                await admin.act(id, "os-unmanage", [:])
                files.append("\(id).raw")
            }
            try await cloud.settle()
            func list(_ query: String) async -> [String] {
                let path = "/manageable_volumes?host=host-1@volumes&\(query)"
                return Self.names(await admin.good(.get, path), "manageable-volumes")
            }
            #expect(await list("") == files.sorted(by: >))
            #expect(await list("sort=size:asc") == [files[1], files[2], files[0]])
            #expect(await list("sort=size:asc&limit=1&offset=1") == [files[2]])
            let marker = Percent.encode("{\"source-name\": \"\(files[1])\"}")
            #expect(await list("sort=size:asc&marker=\(marker)") == [files[2], files[0]])
        }
    }

    @Test("A snapshot is given up, and its file becomes a snapshot of a volume again")
    func snapshot() async throws {
        try await VolumeClient.run { cloud, admin, demo in
            let volume = try await demo.volume()
            let id = try await demo.snapshot(of: volume)
            await demo.refused(.forbidden, .post, "/snapshots/\(id)/action", ["os-unmanage": [:]])
            await admin.good(.post, "/snapshots/\(id)/action", ["os-unmanage": [:]])
            #expect(await admin.good(.get, "/snapshots/\(id)")["snapshot"]?["status"] == "unmanaging")
            try await cloud.settle()
            await admin.refused(.notFound, .get, "/snapshots/\(id)")

            let file = "snapshot-\(id).raw"
            let list = await admin.good(.get, "/manageable_snapshots/detail?host=host-1@volumes")
            #expect(Self.names(list, "manageable-snapshots") == [file])
            #expect(list["manageable-snapshots"]?.array?.first?["size"] == 1)
            let others = await admin.good(.get, "/os-volume-manage?host=host-1@volumes")
            #expect(others["manageable-volumes"] == [])

            let body: JSON = [
                "snapshot": [
                    "volume_id": .string(volume), "ref": ["source-name": .string(file)], "name": "back",
                    "metadata": ["a": "b"],
                ]
            ]
            await demo.refused(.forbidden, .post, "/manageable_snapshots", body)
            let new = await admin.good(.post, "/manageable_snapshots", body)["snapshot"]?["id"]?.string ?? ""
            try await cloud.settle()
            let shown = await admin.good(.get, "/snapshots/\(new)")["snapshot"]
            #expect(shown?["status"] == "available" && shown?["name"] == "back" && shown?["size"] == 1)
            #expect(shown?["metadata"] == ["a": "b"])
            // The same file is not there a second time.
            let again = await admin.good(.post, "/os-snapshot-manage", body)["snapshot"]?["id"]?.string ?? ""
            try await cloud.settleAll()
            #expect(await admin.good(.get, "/snapshots/\(again)")["snapshot"]?["status"] == "error")
        }
    }
}
