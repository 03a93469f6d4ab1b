import CloudCore
import Compute
import HTTPKit
import HTTPTypes
import HostModel
import Logging
import TestSupport
import Testing
@testable import ControlPlane

@Suite("Metadata of a guest in the cloud")
struct GuestMetadataTests {
    @Test("A guest is identified by network and address and gets its metadata; its owner reads the password that it posts")
    func join() async throws {
        try await ServerTests.run { client, image in
            let cloud = client.cloud
            func make(_ path: String, _ body: JSON) async -> JSON {
                let reply = await cloud.send(.post, "/network/v2.0/" + path, token: client.token, json: body)
                #expect(reply.status == .created, "\(reply.text)")
                return reply.json
            }
            let network = await make("networks", ["network": ["name": "n", "mtu": 1400]])["network"]?["id"]?.string ?? ""
            _ = await make(
                "subnets",
                ["subnet": ["network_id": .string(network), "ip_version": 4, "cidr": "10.7.0.0/24", "dns_nameservers": ["10.7.0.53"], "enable_dhcp": false]])
            let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER me"
            _ = await client.good(.post, "/os-keypairs", ["keypair": ["name": "mine", "public_key": .string(key)]])
            let id = try await ServerTests.boot(
                client, image,
                ["networks": [["uuid": .string(network)]], "key_name": "mine", "user_data": "IyEvYmluL3NoCg==", "metadata": ["role": "web"]])
            let server = await client.good(.get, "/servers/\(id)")["server"]
            let text = server?["addresses"]?["n"]?.array?.first?["addr"]?.string ?? ""
            let address = try #require(IPAddress(text), "\(server?.text ?? "")")

            let guests = GuestMetadata(database: cloud.database, networking: cloud.cloud.networking)
            let known = try #require(try await guests.metadata(network: ID(network), address: address))
            #expect(known.id == id && known.key?.data == key && known.metadata == ["role": "web"] && known.userData == Array("#!/bin/sh\n".utf8))
            #expect(known.securityGroups == ["default"] && known.zone == "nova" && !known.flavor.isEmpty)
            #expect(known.interfaces.map(\.mtu) == [1400] && known.interfaces.first?.subnets.first?.dns.map(\.description) == ["10.7.0.53"])
            #expect(try await guests.metadata(network: ID(network), address: address + 1) == nil)
            #expect(try await guests.metadata(network: ID(id), address: address) == nil)

            let routes = MetadataRoutes(door: .service(network: network), source: guests, random: World.test().random)
            let responder = try Responder(services: [routes.service], verifier: nil, world: .test(), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            func ask(_ path: String, from address: IPAddress, _ posted: String? = nil) async -> Reply {
                let head = HTTPRequest(
                    method: posted == nil ? .get : .post, scheme: "http", authority: "169.254.169.254", path: path,
                    headerFields: [.contentLength: String(posted?.utf8.count ?? 0)])
                return await responder.respond(to: head, .init(bytes: Array((posted ?? "").utf8), remoteAddress: address.description))
            }
            #expect(await ask("/openstack/latest/network_data.json", from: address).status == .ok)
            #expect(await ask("/openstack/latest/meta_data.json", from: address + 1).status == .notFound)
            #expect(await client.good(.get, "/servers/\(id)/os-server-password")["password"] == "")
            #expect(await ask("/openstack/latest/password", from: address, "sealed").status == .ok)
            #expect(await ask("/openstack/latest/password", from: address, "another").status == .conflict)
            #expect(await client.good(.get, "/servers/\(id)/os-server-password")["password"] == "sealed")
            #expect(await client.send(.delete, "/servers/\(id)/os-server-password").status == .noContent)
            #expect(await client.good(.get, "/servers/\(id)/os-server-password")["password"] == "")
            #expect(await ask("/openstack/latest/password", from: address, "another").status == .ok)

            _ = await client.send(.delete, "/servers/\(id)")
            try await ServerTests.settle(client)
            #expect(try await guests.metadata(network: ID(network), address: address) == nil)
        }
    }
}
