import CloudCore
import ControlPlane
import DriverLibvirt
import Drivers
import Foundation
import HTTPTypes
import HostModel
import TestSupport
import Testing

extension LibvirtDriverTests {
    /// A client of a cloud whose only host is this machine.
    private struct Client {
        let cloud: TestCloud
        let token: String

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            token = try await cloud.token()
        }

        @discardableResult
        func good(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil) async -> JSON {
            let reply = await cloud.send(
                method, path, token: token, json: json, headers: [HTTPField.Name("OpenStack-API-Version")!: "compute 2.60"])
            #expect((200..<300).contains(reply.status.code), "\(method) \(path): \(reply.status.code) \(reply.text)")
            return reply.json
        }

        func image(_ format: String, _ data: Data, _ properties: JSONObject = [:]) async -> String {
            var body: JSONObject = ["name": .string(format), "disk_format": .string(format), "container_format": .string(format)]
            for (key, value) in properties.members { body[key] = value }
            let id = await good(.post, "/image/v2/images", .object(body))["id"]?.string ?? ""
            let filled = await cloud.send(
                .put, "/image/v2/images/\(id)/file", token: token, bytes: Array(data), type: "application/octet-stream")
            #expect(filled.status == .noContent, "\(filled.text)")
            return id
        }

        func server(_ id: String) async -> JSON? { await good(.get, "/compute/v2.1/servers/\(id)")["server"] }

        func act(_ id: String, _ action: JSON) async throws {
            await good(.post, "/compute/v2.1/servers/\(id)/action", action)
            try await cloud.settle()
        }

        func says(_ words: String, _ id: String) async throws {
            try await eventually("'\(words)' on the console") {
                await good(.post, "/compute/v2.1/servers/\(id)/action", ["os-getConsoleOutput": [:]])["output"]?.string?.contains(words) == true
            }
        }
    }

    private static func guest(_ id: String) throws -> pid_t? {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.first { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.first?.contains("qemu-system") == true && words.contains { $0.hasPrefix("guest=\(id)") }
        }
    }

    @Test("A server runs as a guest of this host, survives a restart of the control plane, and leaves nothing when deleted")
    func cloud() async throws {
        let (driver, guest) = try await RealHost.shared.open()
        try await withTemporaryDirectory { folder in
            let plan = HostsPlan.opened(driver, name: "here", folder: folder + "/agent")
            try await TestCloud.run(hosts: plan) { cloud in
                let first = try await Client(cloud)
                let kernel = await first.image("aki", guest.kernel)
                let ramdisk = await first.image("ari", guest.ramdisk)
                let disk = await first.image(
                    "ami", guest.disk,
                    ["kernel_id": .string(kernel), "ramdisk_id": .string(ramdisk), "os_command_line": "console=ttyS0 quiet panic=1"])
                await first.good(.post, "/compute/v2.1/flavors", ["flavor": ["id": "tiny", "name": "tiny", "ram": 96, "vcpus": 1, "disk": 1]])
                let began = ContinuousClock.now
                let made = await first.good(
                    .post, "/compute/v2.1/servers",
                    ["server": ["name": "one", "imageRef": .string(disk), "flavorRef": "tiny", "networks": "none", "config_drive": true]])
                let id = made["server"]?["id"]?.string ?? ""
                try await cloud.settle()
                let took = ContinuousClock.now - began
                let shown = await first.server(id)
                #expect(shown?["status"] == "ACTIVE", "\(shown?["fault"]?.text ?? "")")
                let process = try Self.guest(id)
                #expect(process != nil && took < .seconds(20), "POST to a running guest took \(took)")
                try await first.says("guest: config drive \(id)", id)

                let second = try await Client(try await cloud.restarted(hosts: plan))
                #expect(await second.server(id)?["status"] == "ACTIVE")
                #expect(try Self.guest(id) == process, "the guest did not notice")
                try await second.act(id, ["reboot": ["type": "HARD"]])
                try await second.says("guest: start 2 of this disk", id)
                // To the host, this looks like a guest that stops by itself.
                if let process = try Self.guest(id) { kill(process, SIGKILL) }
                try await eventually("the guest's end to be shown") {
                    await second.cloud.cloud.fleet.ask()
                    try await second.cloud.cloud.look()
                    return await second.server(id)?["status"] == "SHUTOFF"
                }
                try await second.act(id, ["os-start": nil])
                #expect(try Self.guest(id) != nil)

                await second.good(.delete, "/compute/v2.1/servers/\(id)")
                try await second.cloud.settle()
                #expect(try Self.guest(id) == nil)
                #expect(!FileManager.default.fileExists(atPath: "\(RealHost.shared.folder)/machines/\(id)"))
                #expect(try await driver.observe(MachineID(id)) == nil)
            }
        }
    }
}
