import CloudCore
@testable import Compute
import ControlPlane
import HTTPTypes
import SQL
import TestSupport
import Testing

@Suite("Block devices in the request for a server")
struct BlockDeviceTests {
    private static let root: JSONObject = [
        "source_type": "image", "destination_type": "local", "boot_index": 0, "delete_on_termination": true,
    ]
    private static let empty: JSONObject = [
        "source_type": "blank", "destination_type": "local", "boot_index": -1, "volume_size": 1, "delete_on_termination": true,
    ]

    private static func with(_ device: JSONObject, _ changes: JSONObject) -> JSON {
        var device = device
        for (key, value) in changes.members { device[key] = value }
        return .object(device)
    }

    /// Runs the body in a cloud with a flavor that has 4 GiB of ephemeral disk and 64 MiB of swap.
    private func run(_ body: (ComputeClient, _ image: String, _ root: JSON) async throws -> Void) async throws {
        try await ServerTests.run { client, image in
            let flavor: JSON = [
                "id": "full", "name": "full", "ram": 64, "vcpus": 1, "disk": 1, "OS-FLV-EXT-DATA:ephemeral": 4, "swap": 64,
            ]
            await client.good(.post, "/flavors", ["flavor": flavor])
            try await body(client, image, Self.with(Self.root, ["uuid": .string(image)]))
        }
    }

    private func request(_ image: String?, _ devices: [JSON], _ more: JSONObject = [:]) -> JSON {
        var server: JSONObject = ["name": "one", "flavorRef": "full", "networks": "none", "block_device_mapping_v2": .array(devices)]
        if let image { server["imageRef"] = .string(image) }
        for (key, value) in more.members { server[key] = value }
        return ["server": .object(server)]
    }

    /// Returns the disks of the machine, as the simulated host names them.
    private func disks(_ client: ComputeClient, _ id: String) -> [String] {
        let machine = client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }
        return machine?.disks.map { String($0.prefix { $0 != " " }) } ?? []
    }

    private func specs(_ client: ComputeClient, _ id: String) async throws -> LocalDisks? {
        try await client.cloud.cloud.database.read { tx in try ServerStore().find(ID(id), in: tx)?.disks }
    }

    @Test("A machine gets each disk that the request describes")
    func asked() async throws {
        try await run { client, image, root in
            func boot(_ devices: [JSON]) async throws -> String {
                let id = await client.good(.post, "/servers", request(image, devices))["server"]?["id"]?.string ?? ""
                try await ServerTests.settle(client)
                #expect(await client.good(.get, "/servers/\(id)")["server"]?["status"] == "ACTIVE")
                return id
            }
            let (one, swap) = (Self.with(Self.empty, [:]), Self.with(Self.empty, ["guest_format": "swap", "volume_size": 16]))
            #expect(disks(client, try await boot([root])) == ["root", "ephemeral0", "swap"])
            #expect(disks(client, try await boot([root, one])) == ["root", "ephemeral0", "swap"])
            let two = try await boot([root, one, Self.with(Self.empty, ["volume_size": "2", "disk_bus": "scsi"])])
            #expect(disks(client, two) == ["root", "ephemeral0", "ephemeral1", "swap"])
            #expect(try await specs(client, two)?.ephemeral == [.init(sizeGiB: 1, bus: nil), .init(sizeGiB: 2, bus: "scsi")])
            #expect(disks(client, try await boot([root, one, one, one, one])).count == 6)
            let swapped = try await boot([root, swap])
            #expect(disks(client, swapped) == ["root", "ephemeral0", "swap"])
            #expect(try await specs(client, swapped)?.swap?.sizeMiB == 16)
            // A blank disk without a size is as large as the flavor's ephemeral disk.
            let whole = try await boot([root, Self.with(Self.empty, ["volume_size": nil]).without("volume_size")])
            #expect(try await specs(client, whole)?.ephemeral == [.init(sizeGiB: 4, bus: nil)])
            for device in [
                Self.with(Self.root, ["uuid": .string(image), "boot_index": "0", "delete_on_termination": "true"]),
                Self.with(Self.root, ["uuid": .string(image), "device_name": "/dev/vda", "disk_bus": "virtio", "device_type": "disk"]),
            ] { _ = try await boot([device]) }
        }
    }

    @Test("The older form of block devices also gives blank disks and swap")
    func older() async throws {
        try await run { client, image, root in
            let devices: JSON = [
                ["virtual_name": "ephemeral0", "volume_size": 1, "device_name": "vdb"],
                ["virtual_name": "ephemeral1", "volume_size": 1, "device_name": "vdc"], ["virtual_name": "swap", "volume_size": 8],
                ["device_name": "vdz", "no_device": true],
            ]
            let body = request(image, [], ["block_device_mapping": devices])
            let id = await client.good(.post, "/servers", body)["server"]?["id"]?.string ?? ""
            try await ServerTests.settle(client)
            #expect(disks(client, id) == ["root", "ephemeral0", "ephemeral1", "swap"])
            for wrong: JSON in [["device_name": "vdb"], ["virtual_name": "ephemeral"], ["virtual_name": "ephemeral01"], ["other": 1]] {
                await client.refused(.badRequest, .post, "/servers", request(image, [], ["block_device_mapping": [wrong]]))
            }
            await client.refused(
                .badRequest, .post, "/servers", request(image, [root], ["block_device_mapping": [["virtual_name": "swap"]]]))
        }
    }

    @Test("Block devices that contradict each other, the flavor or the image are refused")
    func contradictions() async throws {
        try await run { client, image, root in
            let (one, some) = (Self.with(Self.empty, [:]), JSON.string(image))
            let swap = Self.with(Self.empty, ["guest_format": "swap"])
            let wrong: [[JSON]] = [
                [root, Self.with(Self.empty, ["volume_size": 5])], [root, one, Self.with(Self.empty, ["volume_size": 4])],
                [root, Self.with(Self.empty, ["guest_format": "swap", "volume_size": 100])], [root, swap, swap],
                [root, Self.with(Self.empty, ["uuid": some])], [root, Self.with(Self.empty, ["boot_index": 0])],
                [root, Self.with(Self.empty, ["boot_index": 2])], [one], [Self.with(Self.empty, ["boot_index": 0])],
                [root, Self.with(Self.empty, ["volume_type": "fast"])], [root, Self.with(Self.empty, ["disk_bus": "fdc"])],
                [root, Self.with(Self.empty, ["disk_bus": "nonsense"])], [root, Self.with(Self.empty, ["volume_size": 0])],
                [root, Self.with(Self.empty, ["volume_size": "x"])], [root, Self.with(Self.empty, ["device_name": "a b"])],
                [Self.with(Self.root, ["uuid": some, "boot_index": .null])], [Self.with(Self.root, ["uuid": some]).without("boot_index")],
                [Self.with(Self.root, ["uuid": some, "boot_index": -1])], [Self.with(Self.root, ["uuid": some, "boot_index": 1])],
                [Self.with(Self.root, ["uuid": some, "volume_type": "fast"])], [root, root], [.object(Self.root)],
                [Self.with(Self.root, ["uuid": "00000000-0000-0000-0000-000000000000"])], [root.without("source_type")],
                [Self.with(Self.root, ["uuid": some, "destination_type": "nowhere"])],
                [root] + Array(repeating: one, count: 20),
            ]
            for devices in wrong {
                await client.refused(.badRequest, .post, "/servers", request(image, devices))
            }
            await client.refused(.badRequest, .post, "/servers", request(nil, [root]))
            await client.refused(.badRequest, .post, "/servers", request(nil, [Self.with(Self.empty, ["boot_index": 0])]))
            await client.refused(.badRequest, .post, "/servers", request(nil, []))
            await client.refused(.badRequest, .post, "/servers", request(image, [root, swap], ["flavorRef": "small"]))
            #expect(await client.good(.get, "/servers")["servers"] == [])
        }
    }

    @Test("A resize is refused if the server's disks do not fit the flavor, and a rebuild keeps them")
    func later() async throws {
        try await run { client, image, root in
            let devices = [root, Self.with(Self.empty, [:]), Self.with(Self.empty, [:])]
            let id = await client.good(.post, "/servers", request(image, devices))["server"]?["id"]?.string ?? ""
            try await ServerTests.settle(client)
            await client.refused(.badRequest, .post, "/servers/\(id)/action", ["resize": ["flavorRef": "large"]])
            await client.good(.post, "/servers/\(id)/action", ["rebuild": ["imageRef": .string(image)]])
            try await ServerTests.settle(client)
            #expect(disks(client, id).dropFirst() == ["ephemeral0", "ephemeral1", "swap"])
        }
    }

    @Test("A server's list of volumes is empty, and any volume id is a 404")
    func volumes() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            let nothing = "99999999-9999-4999-8999-999999999999"
            for minor in [1, 49, 70, 79, 89, 104] {
                let path = "/servers/\(id)/os-volume_attachments"
                #expect(await client.good(.get, path, minor: minor) == ["volumeAttachments": []])
                await client.refused(.notFound, .get, "\(path)/\(nothing)", minor: minor)
                await client.refused(.notFound, .delete, "\(path)/\(nothing)", minor: minor)
                let body: JSON = ["volumeAttachment": ["volumeId": .string(nothing)]]
                await client.refused(.notFound, .post, path, body, minor: minor)
                await client.refused(.notFound, .put, "\(path)/\(nothing)", body, minor: minor)
                await client.refused(.badRequest, .post, path, ["volumeAttachment": [:]], minor: minor)
            }
            await client.refused(.notFound, .get, "/servers/\(nothing)/os-volume_attachments")
            await client.refused(.badRequest, .get, "/servers/\(id)/os-volume_attachments?limit=x")
            let member = try await ComputeClient.member(client.cloud)
            await member.refused(.notFound, .get, "/servers/\(id)/os-volume_attachments")
        }
    }

    @Test("Diagnostics of a server that does not run are a 409")
    func diagnostics() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            for (away, back) in [("os-stop", "os-start"), ("pause", "unpause"), ("suspend", "resume")] {
                for minor in [1, 48] { await client.good(.get, "/servers/\(id)/diagnostics", minor: minor) }
                await client.good(.post, "/servers/\(id)/action", .object([away: .null]))
                try await ServerTests.settle(client)
                for minor in [1, 48] { await client.refused(.conflict, .get, "/servers/\(id)/diagnostics", minor: minor) }
                await client.good(.post, "/servers/\(id)/action", .object([back: .null]))
                try await ServerTests.settle(client)
            }
        }
    }
}

extension JSON {
    fileprivate func without(_ key: String) -> JSON {
        guard var object else { return self }
        object[key] = nil
        return .object(object)
    }
}
