import CloudCore
import ControlPlane
import Durable
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import novella_bench

/// The rows with which the benchmark fills a cloud.
@Suite("Filled rows")
struct FilledRowTests {
    /// A caller of a cloud with one host, a flavor, an image and a network.
    private struct Client {
        let cloud: TestCloud
        let token: String
        var image = ""
        var network = CloudFixtures.Network(id: "", subnet: "", group: "", first: IPAddress(.v4, 0x0a00_0000))

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            token = try await cloud.token()
            _ = try await made(
                "/compute/v2.1/flavors", "flavor", ["id": "f", "name": "f", "vcpus": 1, "ram": 64, "disk": 1])
            _ = try await made(
                "/compute/v2.1/flavors", "flavor", ["id": "g", "name": "g", "vcpus": 1, "ram": 64, "disk": 1])
            _ = try await made(
                "/compute/v2.1/flavors", "flavor", ["id": "h", "name": "h", "vcpus": 1, "ram": 64, "disk": 1])
            let image: JSON = ["name": "i", "disk_format": "raw", "container_format": "bare"]
            self.image = await cloud.send(.post, "/image/v2/images", token: token, json: image).json["id"]?.string ?? ""
            _ = await cloud.send(
                .put, "/image/v2/images/\(self.image)/file", token: token, bytes: [UInt8](repeating: 0, count: 512),
                type: "application/octet-stream")
            let id = try await made("/network/v2.0/networks", "network", ["name": "n"])
            let subnet: JSON = ["network_id": .string(id), "ip_version": 4, "cidr": "10.0.0.0/24"]
            network = CloudFixtures.Network(
                id: id, subnet: try await made("/network/v2.0/subnets", "subnet", subnet),
                group: try await made("/network/v2.0/security-groups", "security_group", ["name": "s"]),
                first: network.first)
        }

        func made(_ path: String, _ noun: String, _ body: JSON) async throws -> String {
            let reply = await cloud.send(.post, path, token: token, json: [noun: body] as JSON)
            return try #require(reply.json[noun]?["id"]?.string, "\(path): \(reply.text)")
        }

        func server(_ name: String) async throws -> String {
            let id = try await made(
                "/compute/v2.1/servers", "server",
                [
                    "name": .string(name), "flavorRef": "h", "imageRef": .string(image),
                    "networks": [["uuid": .string(network.id)]], "security_groups": [["name": .string(network.group)]],
                ])
            for _ in 0..<200 { if try await !cloud.cloud.runner.runDue() { break } }
            cloud.clock.advance(by: .seconds(7))
            return id
        }
    }

    /// Returns a row as text. Times differ between any two servers, and epochs begin with the time.
    private static func text(_ row: (table: String, columns: [String], values: [SQLValue])) -> [String] {
        zip(row.columns, row.values).map { column, value in
            let text = "\(row.table).\(column): \(value)"
            return text.replacing(/[0-9]{16}/, with: "TIME").replacing(/trace: .*/, with: "trace")
                .replacing(/epoch: integer\([0-9]+\)/, with: "epoch")
        }
    }

    @Test("A copy of a server's rows equals the rows of another server that the API made")
    func copies() async throws {
        try await TestCloud.run(
            on: .sqlite,
            {
                $0.simulate.enabled = true
                $0.simulate.hosts = 1
            }
        ) { cloud in
            let client = try await Client(cloud)
            let ids = [try await client.server("bench-first"), try await client.server("bench-other")]
            let network = client.network
            let (first, other) = try await cloud.database.read { tx in
                (try ServerRows(ids[0], network, in: tx), try ServerRows(ids[1], network, in: tx))
            }
            #expect(first.values.number < 3 && first.values.port != other.values.port)
            let copy = first.pattern.rows(other.values.keys).map(Self.text)
            let real = other.pattern.rows(other.values.keys).map(Self.text)
            #expect(copy.count == real.count && real.count > 15)
            for (copied, own) in zip(copy, real) {
                for (left, right) in zip(copied, own) { #expect(left == right) }
            }
            // A copy without a substitution is the row itself.
            #expect(first.pattern.rows(first.values.keys).map(Self.text) != real)
        }
    }
}
