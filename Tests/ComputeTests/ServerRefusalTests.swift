import CloudCore
@testable import Compute
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

/// Refusals of requests for servers.
@Suite("Refused requests for servers")
struct ServerRefusalTests {
    @Test("An interface is refused with the status that the reference gives to the reason")
    func interfaces() async throws {
        try await ServerTests.run { client, image in
            let network = try await ServerCountTests.network(client)
            let networks: JSONObject = ["networks": [["uuid": .string(network)]]]
            let one = try await ServerTests.boot(client, image, networks)
            let other = try await ServerTests.boot(client, image, networks)
            let nowhere: JSON = "00000000-0000-0000-0000-000000000000"
            let taken = await client.good(.get, "/servers/\(other)/os-interface")["interfaceAttachments"]?.array?.first
            let address = taken?["fixed_ips"]?.array?.first?["ip_address"] ?? .null
            func attach(_ status: HTTPResponse.Status, _ fields: JSON) async {
                await client.refused(status, .post, "/servers/\(one)/os-interface", ["interfaceAttachment": fields])
            }
            await attach(.notFound, ["port_id": nowhere])
            await attach(.notFound, ["net_id": nowhere])
            await attach(.conflict, ["port_id": taken?["port_id"] ?? .null])
            await attach(.conflict, ["net_id": .string(network), "fixed_ips": [["ip_address": address]]])
            await attach(.badRequest, ["net_id": .string(network), "fixed_ips": [["ip_address": "10.9.9.9"]]])
            _ = try await ServerCountTests.network(client, "10.6.0.0/24")
            // It is not clear which of two networks is meant.
            await client.refused(.badRequest, .post, "/servers/\(one)/os-interface")
            let tiny = try await ServerCountTests.network(client, "10.7.0.0/30", hasDHCP: false)
            let wanted: JSON = ["interfaceAttachment": ["net_id": .string(tiny)]]
            let path = "/servers/\(one)/os-interface"
            #expect(try await client.cloud.whileWorking { await client.send(.post, path, wanted) }.status == .ok)
            #expect(try await client.cloud.whileWorking { await client.send(.post, path, wanted) }.status == .badRequest)
            #expect(await client.good(.get, "/servers/\(one)/os-interface")["interfaceAttachments"]?.array?.count == 2)
            // When a server is created, the same mistakes are errors of the body (400), except a port in use and an
            // unclear choice (409).
            func create(_ status: HTTPResponse.Status, _ networks: JSON) async {
                let body: JSON = ["server": ["name": "x", "imageRef": .string(image), "flavorRef": "small", "networks": networks]]
                await client.refused(status, .post, "/servers", body)
            }
            await create(.badRequest, [["uuid": nowhere]])
            await create(.badRequest, [["port": nowhere]])
            await create(.badRequest, [["uuid": .string(network), "fixed_ip": address]])
            await create(.conflict, [["port": taken?["port_id"] ?? .null]])
            await create(.conflict, "auto")
        }
    }

    @Test("Metadata beyond the quota is refused for servers and images alike")
    func metadata() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            await client.good(.put, "/os-quota-sets/\(await ServerCountTests.project(client))", ["quota_set": ["metadata_items": 2]])
            let (few, many): (JSON, JSON) = (["a": "1", "b": "2"], ["a": "1", "b": "2", "c": "3"])
            let path = "/servers/\(id)/action"
            func bodies(_ metadata: JSON) -> [JSON] {
                [
                    ["createImage": ["name": "copy", "metadata": metadata]],
                    ["createBackup": ["name": "copy", "backup_type": "daily", "rotation": 1, "metadata": metadata]],
                    ["rebuild": ["imageRef": .string(image), "metadata": metadata]],
                ]
            }
            for body in bodies(many) { await client.refused(.forbidden, .post, path, body) }
            let before = await client.cloud.send(.get, "/image/v2/images", token: client.token).json["images"]?.array?.count
            #expect(before == 1)
            for body in bodies(few) {
                await client.good(.post, path, body)
                try await ServerTests.settle(client)
            }
            let server: JSON = [
                "name": "x", "imageRef": .string(image), "flavorRef": "small", "networks": "none", "metadata": many,
            ]
            await client.refused(.forbidden, .post, "/servers", ["server": server])
            await client.refused(.forbidden, .put, "/servers/\(id)/metadata", ["metadata": many])
            await client.refused(.forbidden, .post, "/images/\(image)/metadata", ["metadata": many], minor: 38)
            await client.refused(.forbidden, .put, "/images/\(image)/metadata", ["metadata": many], minor: 38)
            await client.good(.put, "/images/\(image)/metadata", ["metadata": few], minor: 38)
            await client.refused(.forbidden, .put, "/images/\(image)/metadata/c", ["meta": ["c": "3"]], minor: 38)
            await client.good(.put, "/images/\(image)/metadata/a", ["meta": ["a": "3"]], minor: 38)
        }
    }

    @Test(
        "Filters take patterns and match them in linear time, and an invalid pattern is refused",
        .timeLimit(.minutes(15)))
    func patterns() async throws {
        try await ServerTests.run { client, image in
            let name = String(repeating: "a", count: 60) + "!"
            _ = try await ServerTests.boot(client, image, ["name": .string(name), "description": .string(name)])
            for filter in ["name", "display_name", "description", "display_description", "ip", "ip6"] {
                #expect(await client.good(.get, "/servers?\(filter)=%5E(a%2B)%2B%24")["servers"] == [], "\(filter)")
                for wrong in ["(", "(a)%5C1", "((a%7B200%7D)%7B200%7D)", "%5B", String(repeating: "a", count: 300)] {
                    await client.refused(.badRequest, .get, "/servers?\(filter)=\(wrong)")
                }
            }
            #expect(await client.good(.get, "/servers?name=%5Ea%7B60%7D!%24")["servers"]?.array?.count == 1)
        }
    }

    @Test("A name filter compares characters and not how they look")
    func accents() async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image, ["name": "xe\u{301}"])
            for (text, isFound) in [("e", true), ("xe", true), ("x.", true), ("%CC%81", true), ("%C3%A9", false)] {
                let found = await client.good(.get, "/servers?name=\(text)")["servers"]?.array?.compactMap { $0["id"]?.string }
                #expect(found == (isFound ? [id] : []), "\(text)")
            }
        }
    }

    @Test("A list ignores an offset, whatever its value")
    func offsets() async throws {
        try await ServerTests.run { client, image in
            _ = try await ServerTests.boot(client, image)
            for path in ["/servers?name=o&", "/servers/detail?status=ACTIVE&", "/flavors?", "/os-migrations?", "/os-keypairs?"] {
                for offset in ["-1", "-9223372036854775808", "99999999999999999999", "x"] {
                    await client.good(.get, path + "offset=\(offset)", minor: 1)
                }
            }
            #expect(await client.good(.get, "/servers?name=o&offset=5", minor: 1)["servers"]?.array?.count == 1)
        }
    }

    @Test("A server's progress is always 0, and a header of its own has the workflow's progress")
    func progress() async throws {
        try await ServerTests.run { client, image in
            let body: JSON = ["server": ["name": "one", "imageRef": .string(image), "flavorRef": "small", "networks": "none"]]
            let id = await client.good(.post, "/servers", body)["server"]?["id"]?.string ?? ""
            for verb: JSON? in [nil, ["rebuild": ["imageRef": .string(image)]], ["resize": ["flavorRef": "large"]]] {
                if let verb { await client.good(.post, "/servers/\(id)/action", verb) }
                for percent in [0, 62] {
                    try await client.cloud.cloud.database.write { tx in
                        try tx.execute("UPDATE workflow SET progress = ? WHERE kind LIKE 'compute.server.%'", percent)
                    }
                    let reply = await client.send(.get, "/servers/\(id)")
                    #expect(reply.json["server"]?["progress"] == 0, "\(reply.text)")
                    #expect(reply.headers[.progress] == String(percent))
                }
                try await ServerTests.settle(client)
                #expect(await client.send(.get, "/servers/\(id)").headers[.progress] == nil)
            }
            await client.good(.delete, "/servers/\(id)")
            #expect(await client.good(.get, "/servers/\(id)")["server"]?["progress"] ?? 0 == 0)
            try await ServerTests.settle(client)
        }
    }
}
