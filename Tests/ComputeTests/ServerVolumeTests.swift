import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@Suite("Volumes of servers")
struct ServerVolumeTests {
    @Test("A volume is attached to a server, shown at both services, and detached")
    func attachAndDetach() async throws {
        try await VolumeStory.run { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            let path = "/servers/\(server)/os-volume_attachments"
            let attached = await story.attach(volume, to: server, ["tag": "data"])
            #expect(attached.status == .ok, "\(attached.text)")
            #expect(attached.json["volumeAttachment"]?["device"] == "/dev/vdb")
            #expect(await story.status(volume) == "reserved")
            try await story.settle()
            #expect(story.disks(server) == ["root", volume])
            let shown = await story.show(volume)
            #expect(shown["status"] == "in-use")
            let attachment = shown["attachments"]?.array?.first
            #expect(attachment?["server_id"] == .string(server) && attachment?["device"] == "/dev/vdb")
            let listed = await story.compute.good(.get, path)["volumeAttachments"]?.array ?? []
            #expect(listed.map { $0["volumeId"] } == [.string(volume)])
            #expect(listed.first?["attachment_id"] == attachment?["attachment_id"])
            #expect(listed.first?["tag"] == "data" && listed.first?["delete_on_termination"] == false)
            let view = await story.compute.good(.get, "/servers/\(server)")["server"]
            #expect(view?["os-extended-volumes:volumes_attached"]?.array?.map { $0["id"] } == [.string(volume)])

            #expect(await story.compute.send(.delete, "\(path)/\(volume)").status == .accepted)
            #expect(await story.status(volume) == "detaching")
            try await story.settle()
            #expect(await story.status(volume) == "available")
            #expect(story.disks(server) == ["root"])
            await story.compute.refused(.notFound, .get, "\(path)/\(volume)")
            await story.compute.refused(.notFound, .delete, "\(path)/\(volume)")
        }
    }

    @Test("A server whose volume has no room is shown as paused, and a message says why")
    func fullVolume() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            _ = await story.attach(volume, to: server)
            try await story.settle()
            let cloud = story.compute.cloud.cloud
            try cloud.fleet.fill([volume], of: server, on: "host-1")
            for _ in 0..<2 {
                await cloud.fleet.ask()
                try await cloud.look()
            }
            func view() async -> JSON? { await story.compute.good(.get, "/servers/\(server)")["server"] }
            #expect(await view()?["status"] == "PAUSED")
            #expect(await view()?["OS-EXT-STS:power_state"] == 3)
            let messages = await story.storage(.get, "/messages?resource_uuid=\(volume)").json["messages"]?.array ?? []
            #expect(messages.count == 1 && messages.first?["event_id"] == "VOLUME_VOLUME_002_001")
            let text = messages.first?["user_message"]?.string ?? ""
            #expect(text.contains("is full") && text.contains(server), "\(text)")
            #expect(await story.status(volume) == "in-use")
            let unpause = await story.compute.send(.post, "/servers/\(server)/action", ["unpause": nil])
            #expect(unpause.status == .accepted)
            try await story.settle()
            #expect(await view()?["status"] == "ACTIVE")
        }
    }

    @Test("A volume that a server uses cannot be attached again, deleted, or ended by anybody but Compute")
    func oneTruth() async throws {
        try await VolumeStory.run { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            let other = try await story.server()
            _ = await story.attach(volume, to: server)
            try await story.settle()
            let again = await story.attach(volume, to: server)
            #expect(again.status == .badRequest && again.text.contains("already attached"), "\(again.text)")
            #expect(await story.attach(volume, to: other).status == .badRequest)
            #expect(await story.storage(.delete, "/volumes/\(volume)").status == .badRequest)
            let attachment = await story.show(volume)["attachments"]?.array?.first?["attachment_id"]?.string ?? ""
            #expect(await story.storage(.delete, "/attachments/\(attachment)").status == .conflict)
            for action in ["os-detach", "os-force_detach"] {
                let named: JSON = ["attachment_id": .string(attachment)]
                let body: JSON = .object(JSONObject([(action, named)]))
                #expect(await story.storage(.post, "/volumes/\(volume)/action", body).status == .conflict, "\(action)")
            }
            #expect(await story.status(volume) == "in-use")
            let second = try await story.volume()
            #expect(await story.attach(second, to: server, ["device": "/dev/vdb"]).status == .conflict)
            #expect(await story.attach(UUIDText.derived(from: "none", in: volume), to: server).status == .notFound)
            #expect(await story.status(second) == "available")
        }
    }

    @Test("A server's volumes are listed in pages, and a device has the form of a path")
    func pagesAndDevices() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let (first, second, server) = (try await story.volume(), try await story.volume(), try await story.server())
            for device in ["vdb", "/dev/", "/dev/VDB", "/dev/vdb/1", "/dev/1", ""] {
                let refused = await story.attach(first, to: server, ["device": .string(device)])
                #expect(refused.status == .badRequest, "\(device)")
            }
            #expect(await story.attach(first, to: server, ["device": "/dev/xvdb1"]).status == .ok)
            #expect(await story.attach(second, to: server, ["device": .null]).status == .ok)
            try await story.settle()
            let path = "/servers/\(server)/os-volume_attachments"
            func ids(_ query: String) async -> [String?] {
                let found = await story.compute.good(.get, path + query)["volumeAttachments"]?.array ?? []
                return found.map { $0["volumeId"]?.string }
            }
            #expect(await ids("") == [first, second])
            #expect(await ids("?limit=1") == [first])
            #expect(await ids("?limit=1&offset=1") == [second])
            #expect(await ids("?limit=0&offset=1") == [second])
            #expect(await ids("?offset=7") == [])
        }
    }

    @Test("A server boots from a volume that is made from its image, and the volume goes with the server if so asked")
    func bootsFromVolume() async throws {
        try await VolumeStory.run { story in
            let data = try await story.volume()
            let devices: JSON = [
                [
                    "source_type": "image", "destination_type": "volume", "uuid": .string(story.image),
                    "volume_size": 1, "boot_index": 0, "delete_on_termination": true,
                ],
                ["source_type": "volume", "destination_type": "volume", "uuid": .string(data), "boot_index": -1],
                ["source_type": "blank", "destination_type": "volume", "volume_size": 2, "boot_index": -1],
            ]
            let wish: JSON = [
                "server": [
                    "name": "one", "flavorRef": "small", "networks": "none", "block_device_mapping_v2": devices,
                ]
            ]
            let made = await story.compute.good(.post, "/servers", wish)
            let server = made["server"]?["id"]?.string ?? ""
            #expect(await story.status(data) == "reserved")
            try await story.settle()
            let shown = await story.compute.good(.get, "/servers/\(server)")["server"]
            #expect(shown?["status"] == "ACTIVE" && shown?["image"] == "", "\(shown ?? .null)")
            let path = "/servers/\(server)/os-volume_attachments"
            let listed = await story.compute.good(.get, path)["volumeAttachments"]?.array ?? []
            let ids = listed.compactMap { $0["volumeId"]?.string }
            #expect(Set(listed.compactMap { $0["device"]?.string }) == ["/dev/vda", "/dev/vdb", "/dev/vdc"])
            #expect(story.disks(server).count == 3)
            for id in ids { #expect(await story.status(id) == "in-use") }
            let root = listed.first { $0["device"] == "/dev/vda" }?["volumeId"]?.string ?? ""
            #expect(await story.show(root)["bootable"] == "true")
            let refusal = await story.compute.refused(.badRequest, .delete, "\(path)/\(root)")
            #expect(refusal == "Cannot detach a root device volume")
            await story.compute.good(.delete, "/servers/\(server)")
            try await story.settle()
            #expect(await story.status(root) == "gone")
            for id in ids where id != root { #expect(await story.status(id) == "available") }
        }
    }

    @Test("A server that cannot be made leaves its user's volume free, and no volume of its own")
    func leavesNothing() async throws {
        try await VolumeStory.run { story in
            let data = try await story.volume()
            let devices: JSON = [
                [
                    "source_type": "image", "destination_type": "volume", "uuid": .string(story.image),
                    "volume_size": 1, "boot_index": 0,
                ],
                ["source_type": "volume", "destination_type": "volume", "uuid": .string(data), "boot_index": -1],
            ]
            let wish: JSON = [
                "server": [
                    "name": "one", "flavorRef": "small", "networks": "none", "block_device_mapping_v2": devices,
                    "metadata": ["simulate:fault": "boot-fails"],
                ]
            ]
            let server = await story.compute.good(.post, "/servers", wish)["server"]?["id"]?.string ?? ""
            try await story.settle()
            #expect(await story.compute.good(.get, "/servers/\(server)")["server"]?["status"] == "ERROR")
            let left = await story.storage(.get, "/volumes").json["volumes"]?.array ?? []
            #expect(left.compactMap { $0["id"]?.string } == [data])
            #expect(await story.status(data) == "available")
        }
    }

    @Test("Whether a volume goes with its server can be changed, and nothing else of an attachment")
    func changes() async throws {
        try await VolumeStory.run { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            _ = await story.attach(volume, to: server)
            try await story.settle()
            let path = "/servers/\(server)/os-volume_attachments/\(volume)"
            func change(_ more: JSONObject) async -> HTTPResponse.Status {
                var wish: JSONObject = ["volumeId": .string(volume)]
                for (name, value) in more.members { wish[name] = value }
                return await story.compute.send(.put, path, ["volumeAttachment": .object(wish)]).status
            }
            #expect(await change(["delete_on_termination": true]) == .accepted)
            #expect(await change(["device": "/dev/vdx"]) == .badRequest)
            #expect(await change(["tag": "other"]) == .badRequest)
            let swap: JSON = ["volumeAttachment": ["volumeId": .string(UUIDText.derived(from: "x", in: volume))]]
            #expect(await story.compute.send(.put, path, swap).status == .conflict)
            await story.compute.good(.delete, "/servers/\(server)")
            try await story.settle()
            #expect(await story.status(volume) == "gone")
        }
    }

    @Test("The growth of an attached volume is an action of each server that has it, and of no other")
    func growth() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let shared: JSON = ["volume_type": ["name": "shared", "extra_specs": ["multiattach": "<is> True"]]]
            #expect(await story.storage(.post, "/types", shared).status == .ok)
            let volume = try await story.volume(["volume_type": "shared"])
            let (server, other) = (try await story.server(), try await story.server())
            #expect(await story.attach(volume, to: server).status == .ok)
            try await story.settle()
            // An attachment may name any server; whoever makes it must not write to that server's history.
            let foreign: JSON = [
                "attachment": [
                    "volume_uuid": .string(volume), "instance_uuid": .string(other), "connector": ["host": "elsewhere"],
                ]
            ]
            let made = await story.storage(.post, "/attachments", foreign).json["attachment"]?["id"]?.string ?? ""
            let complete: JSON = ["os-complete": .null]
            #expect(await story.storage(.post, "/attachments/\(made)/action", complete).status.code < 300)
            #expect(await story.status(volume) == "in-use")
            let grow: JSON = ["os-extend": ["new_size": 2]]
            #expect(await story.storage(.post, "/volumes/\(volume)/action", grow).status == .accepted)
            try await story.settle()
            #expect(await story.status(volume) == "in-use")
            let found = await story.growths(of: server)
            #expect(found.count == 1 && found.first?["message"] == .null)
            let request = found.first?["request_id"]?.string ?? ""
            let path = "/servers/\(server)/os-instance-actions/\(request)"
            let event = await story.compute.good(.get, path)["instanceAction"]?["events"]?.array?.first
            #expect(event?["event"] == "compute_extend_volume" && event?["result"] == "Success")
            #expect(event?["finish_time"]?.string != nil)
            #expect(await story.growths(of: other).isEmpty)
            // A volume that no server has tells nobody.
            let free = try await story.volume()
            #expect(await story.storage(.post, "/volumes/\(free)/action", grow).status == .accepted)
            try await story.settle()
            #expect(await story.show(free)["size"] == 2)
            #expect(await story.growths(of: server).count == 1)
        }
    }

    @Test("A volume that grows while its server is busy is an action of the server behind the others")
    func growthWaits() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            _ = await story.attach(volume, to: server)
            try await story.settle()
            let grow: JSON = ["os-extend": ["new_size": 2]]
            #expect(await story.storage(.post, "/volumes/\(volume)/action", grow).status == .accepted)
            await story.compute.good(.post, "/servers/\(server)/action", ["resize": ["flavorRef": "large"]])
            try await story.settle()
            #expect(await story.serverStatus(server) == "VERIFY_RESIZE")
            #expect(await story.show(volume)["size"] == 2)
            #expect(await story.growths(of: server).count == 1)
        }
    }

    @Test("Events of other services are answered one by one, and one of a grown volume is an action of the server")
    func externalEvents() async throws {
        try await VolumeStory.run(hosts: 1) { story in
            let (volume, server) = (try await story.volume(), try await story.server())
            _ = await story.attach(volume, to: server)
            try await story.settle()
            func send(_ events: [JSONObject], minor: Int = 104) async -> TestCloud.Response {
                let all = JSON.array(events.map { .object($0) })
                return await story.compute.send(.post, "/os-server-external-events", ["events": all], minor: minor)
            }
            func event(_ name: String, _ tag: String? = nil, of id: String? = nil) -> JSONObject {
                var event: JSONObject = ["name": .string(name), "server_uuid": .string(id ?? server)]
                event["tag"] = tag.map(JSON.string)
                return event
            }
            let reimaged = await send([event("volume-reimaged", volume)])
            #expect(reimaged.status == .ok && reimaged.json["events"]?.array?.first?["status"] == "completed")
            let none = UUIDText.derived(from: "none", in: server)
            var failed = event("network-changed")
            failed["status"] = "failed"
            let mixed = await send([
                event("volume-extended", volume), event("volume-extended"), event("volume-extended", volume, of: none),
                failed,
            ])
            #expect(mixed.status.code == 207)
            let answers = mixed.json["events"]?.array ?? []
            #expect(answers.map { $0["code"] } == [200, 400, 404, 200])
            #expect(answers.map { $0["status"] } == ["completed", "failed", "failed", "completed"])
            #expect(await send([event("network-changed", of: none)]).status.code == 207)
            #expect(await send([event("volume-extended", volume)], minor: 50).status == .badRequest)
            #expect(await send([event("volume-reimaged", volume)], minor: 92).status == .badRequest)
            try await story.settle()
            #expect(await story.growths(of: server).count == 1)
            // As in the reference, a server without the volume has an action that did nothing.
            #expect(await send([event("volume-extended", none)]).status == .ok)
            try await story.settle()
            #expect(await story.growths(of: server).count == 2)
        }
    }
}
