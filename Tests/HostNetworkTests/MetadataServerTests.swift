import CloudCore
import Compute
import Drivers
import Foundation
import HostModel
import Logging
import Programs
import TestSupport
import Testing
@testable import ControlPlane
@testable import DriverLinuxNetwork

@Suite("The metadata service with real guests", .enabled(if: Lab.isPossible, "root, nftables, iproute2, dnsmasq and conntrack"))
struct MetadataServerTests {
    /// Servers by their network and address.
    private final class Servers: MetadataSource {
        let all = Box<[String: InstanceMetadata]>([:])

        func put(_ id: String, _ network: String, _ address: String) {
            var metadata = InstanceMetadata(id: id, projectID: "p", name: id, hostname: id, zone: "nova")
            metadata.userData = Array("#!\(id)".utf8)
            all.update { $0["\(network)/\(address)"] = metadata }
        }

        func metadata(network: ID<Kind.Network>, address: IPAddress) async throws -> InstanceMetadata? { all.value["\(network)/\(address)"] }

        func setPassword(_ password: String, of server: ID<Kind.Server>) async throws {
            all.update { all in for (key, value) in all where value.id == server.text { all[key]?.password = password + (value.password.isEmpty ? "" : "!") } }
        }
    }

    /// Runs curl on its own thread, since the server of this process uses the threads of the pool.
    private func curl(_ path: String, from guest: Guest, _ more: [String] = []) async throws -> (status: Int, body: String) {
        let words = ["-s", "--path-as-is", "-m", "20", "-w", "\n%{http_code}"] + more + ["http://169.254.169.254" + path]
        let output = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try ChildProcess.run("curl", words, in: guest.space).output }) }
        }
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    private func serve(_ servers: Servers, _ body: (MetadataDoors) async throws -> Void) async throws {
        let doors = MetadataDoors()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await withThrowingTaskGroup { group in
            group.addTask { try await MetadataServer(doors: doors, source: servers, world: .test(), log: log).run() }
            try await body(doors)
            group.cancelAll()
        }
    }

    /// Returns two networks with the same addresses: one with a door at DHCP, and one with a door at a router.
    private func scene(_ lab: Lab) throws -> (state: HostNetworkState, red: [Guest], blue: Guest) {
        let red = [Scene.port(5, prefix: lab.tag), Scene.port(6, prefix: lab.tag)]
        var blue = Scene.port(7, in: Scene.blue, prefix: lab.tag)
        blue.fixedIPs = [FixedIP(address("10.1.0.5"), subnet: "blue4")]
        var state = Scene.state(1, ports: red + [blue])
        state.networks.append(NetworkSpec(id: Scene.blue, subnets: [SubnetSpec(id: "blue4", prefix: prefix("10.1.0.0/24"), gateway: address("10.1.0.1"), hasDHCP: false)]))
        state.routers = [
            RouterSpec(id: Scene.router, interfaces: [RouterInterface(id: "qr-blue", network: Scene.blue, mac: Scene.mac(0x202), addresses: [InterfaceAddress(address("10.1.0.1"), 24)])])
        ]
        let guests = try red.map { port in
            let guest = try lab.plug(port)
            try lab.ip(["route add 169.254.169.254 via 10.1.0.2"], in: guest.space.name)
            return guest
        }
        return (state, guests, try lab.plug(blue, gateway: [address("10.1.0.1")]))
    }

    @Test("A guest gets only its own metadata, whatever its headers say, even if two networks have equal addresses")
    func ossa_2013_033_identity() async throws {
        try await Lab.with { lab in
            let (state, red, blue) = try scene(lab)
            let servers = Servers()
            servers.put("red-5", Scene.red, "10.1.0.5")
            servers.put("blue-5", Scene.blue, "10.1.0.5")
            let driver = try lab.driver()
            #expect(try await driver.apply(state).problems == [])
            try await lab.settle()
            try await serve(servers) { doors in
                doors.serve(state.metadataDoors, by: driver)
                try await eventually("an answer") { try await curl("/openstack/latest/user_data", from: red[0]) == (200, "#!red-5") }
                try await eventually("an answer") { try await curl("/latest/user-data", from: blue) == (200, "#!blue-5") }
                // An address without a server, also with headers that name another server.
                for more in [[], ["-H", "X-Forwarded-For: 10.1.0.5"], ["-H", "X-Instance-ID: red-5", "-H", "X-Tenant-ID: p"]] {
                    #expect(try await curl("/openstack/latest/meta_data.json", from: red[1], more).status == 404)
                }
                #expect(try await curl("/latest/user-data", from: red[0], ["-H", "X-Forwarded-For: 10.1.0.6", "-H", "X-Instance-ID: blue-5"]).body == "#!red-5")
                #expect(try await curl("/openstack/latest/../../etc/passwd", from: red[0]).status == 404)
                #expect(try await curl("/openstack/latest/nothing", from: red[0]).status == 404)
                #expect(try await curl("/openstack/latest/meta_data.json", from: red[0]).body.contains(#""uuid":"red-5""#))
                #expect(try await curl("/", from: red[0]).body.hasPrefix("1.0\n2007-01-19\n"))

                // A password can be posted once, and its length is limited.
                let url = "/openstack/latest/password"
                #expect(try await curl(url, from: red[0]) == (200, ""))
                #expect(try await curl(url, from: red[0], ["--data-binary", String(repeating: "x", count: 1021)]).status == 400)
                #expect(try await curl("/openstack/latest/user_data", from: red[0], ["--data-binary", "x"]).status == 404)
                #expect(try await curl(url, from: red[0], ["--data-binary", "secret"]).status == 200)
                #expect(try await curl(url, from: red[0]) == (200, "secret"))
                #expect(try await curl(url, from: red[0], ["--data-binary", "other"]).status == 409)
                #expect(try await curl(url, from: red[1], ["--data-binary", "other"]).status == 404)

                // The service listens again in a network that was made anew.
                let space = try Names(tag: lab.tag).serviceNamespace(Scene.red)
                try lab.ip(["netns delete \(space)"])
                #expect(try await lab.driver().apply(state).changes != [])
                doors.serve(state.metadataDoors, by: driver)
                try await lab.settle()
                try await eventually("an answer at the new place") { try await curl("/latest/user-data", from: red[0], ["-m", "2"]).body == "#!red-5" }
                // A network whose door was removed gets no answer.
                doors.serve(state.metadataDoors.filter { $0.network == Scene.blue }, by: driver)
                try await eventually("silence") { try await curl("/latest/user-data", from: red[0], ["-m", "2"]).status == 0 }
                #expect(try await curl("/latest/user-data", from: blue).body == "#!blue-5")
            }
        }
    }

    @Test("A guest that holds connections, is silent or sends too much does not block the others")
    func ossa_2016_004_flood() async throws {
        try await Lab.with { lab in
            let (state, red, _) = try scene(lab)
            let servers = Servers()
            servers.put("red-5", Scene.red, "10.1.0.5")
            servers.put("red-6", Scene.red, "10.1.0.6")
            let driver = try lab.driver()
            try await driver.apply(state)
            try await lab.settle()
            try await serve(servers) { doors in
                doors.serve(state.metadataDoors, by: driver)
                try await eventually("an answer") { try await curl("/latest/user-data", from: red[0]).status == 200 }
                let held = try (0..<60).map { _ in try Caller(red[0].space, to: MetadataEndpoint.address, port: 80) }
                defer { for each in held { each.end() } }
                try await eventually("those that are too many are gone") { held.filter(\.isClosed).count >= 60 - 16 }
                #expect(try await curl("/latest/user-data", from: red[1]) == (200, "#!red-6"))
                let long = String(repeating: "x", count: 20_000)
                let refused = try await curl("/" + long, from: red[1]).status
                #expect([400, 414, 431].contains(refused))
                #expect(try await curl("/latest/user-data", from: red[1], ["-H", "X: " + long]).status == 431)
                #expect(try await curl("/latest/user-data", from: red[1]) == (200, "#!red-6"))
            }
        }
    }
}
