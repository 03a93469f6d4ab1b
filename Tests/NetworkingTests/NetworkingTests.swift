import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import Networking
import SQL
import TestSupport
import Testing

@Suite("The API of Networking")
struct NetworkingTests {
    @Test("Every route except the versions requires a token before anything else")
    func unauthenticated() async throws {
        try await TestCloud.run { cloud in
            let routes = cloud.cloud.networking.service.routes
            #expect(routes.count > 90)
            for route in routes where route.path != "/" {
                let path = "/network" + route.path.replacing(/\{[^}]*\}/, with: "x")
                for token in [nil, "forged"] {
                    let reply = await cloud.send(route.method, path, token: token, json: route.method == .get ? nil : [:])
                    #expect(reply.status == .unauthorized, "\(route.name): \(reply.status)")
                }
            }
            #expect(await cloud.send(.get, "/network").status == .ok)
            #expect(await cloud.send(.get, "/network/").json["versions"]?.array?.first?["id"] == "v2.0")
        }
    }

    @Test("A new network, subnet and port show the reference's fields")
    func views() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network", ["name": "n"])
            #expect(network["status"] == "ACTIVE")
            #expect(network["provider:network_type"] == "vxlan")
            #expect(network["mtu"] == 1450)
            #expect(network["shared"] == false)
            #expect(network["router:external"] == false)
            #expect(network["tenant_id"] == network["project_id"])
            #expect(network["created_at"] == "2026-01-01T00:00:00Z")
            let subnet = try await client.make("subnet", ["network_id": .string(network.id), "ip_version": 4, "cidr": "10.9.0.7/24"])
            #expect(subnet["cidr"] == "10.9.0.0/24")
            #expect(subnet["gateway_ip"] == "10.9.0.1")
            #expect(subnet["allocation_pools"] == [["start": "10.9.0.2", "end": "10.9.0.254"]])
            #expect(subnet["dns_nameservers"] == [])
            let port = try await client.port(network.id)
            #expect(port["mac_address"]?.string?.hasPrefix("fa:16:3e:") == true)
            #expect(port["status"] == "DOWN")
            #expect(port["security_groups"]?.array?.count == 1)
            #expect(port["binding:vif_type"] == "unbound")
            #expect(await client.send(.get, "/networks/\(network.id)").json["network"]?["subnets"] == [.string(subnet.id)])
            let one = await client.send(.get, "/networks/\(network.id)?fields=id&fields=name").json["network"]
            #expect(one == ["id": .string(network.id), "name": "n"])
        }
    }

    @Test("A network can be deleted when no port is left on it, and its subnets are deleted with it")
    func removal() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            let (network, subnet) = try await client.network()
            let port = try await client.port(network).id
            #expect(await client.send(.delete, "/networks/\(network)").type == "NetworkInUse")
            #expect(await client.send(.delete, "/subnets/\(subnet)").type == "SubnetInUse")
            #expect(await client.send(.delete, "/ports/\(port)").status == .noContent)
            #expect(await client.send(.delete, "/networks/\(network)").status == .noContent)
            #expect(await client.send(.get, "/subnets/\(subnet)").type == "SubnetNotFound")
            #expect(await client.send(.get, "/networks/\(network)").type == "NetworkNotFound")
            for table in ["subnet", "port", "ip_allocation", "port_security_group", "tag"] {
                let rows: Int? = try await cloud.database.read { tx in try tx.value("SELECT count(*) FROM networking_\(table)") }
                #expect(rows == 0, "\(table)")
            }
        }
    }

    @Test(
        "An invalid or impossible request is refused with the reference's error type",
        arguments: [
            ("subnet", ["ip_version": 4, "cidr": "10.0.0.0/24"], "InvalidInput"),
            ("subnet", ["ip_version": 6, "cidr": "10.7.0.0/24"], "InvalidInput"),
            ("subnet", ["ip_version": 4], "BadRequest"),
            ("subnet", ["ip_version": 4, "cidr": "nonsense"], "HTTPBadRequest"),
            ("subnet", ["ip_version": 4, "cidr": "224.0.0.0/24"], "InvalidInput"),
            ("subnet", ["ip_version": 4, "cidr": "10.7.0.0/24", "gateway_ip": "10.7.0.255"], "InvalidInput"),
            ("subnet", ["ip_version": 4, "cidr": "10.7.0.0/24", "colour": "red"], "HTTPBadRequest"),
            (
                "subnet", ["ip_version": 4, "cidr": "10.7.0.0/24", "allocation_pools": [["start": "10.7.0.1", "end": "10.7.0.9"]]],
                "GatewayConflictWithAllocationPools"
            ),
            (
                "subnet", ["ip_version": 4, "cidr": "10.7.0.0/24", "allocation_pools": [["start": "10.8.0.1", "end": "10.8.0.9"]]],
                "OutOfBoundsAllocationPool"
            ),
            ("subnet", ["ip_version": 6, "cidr": "2001:db8::/96", "ipv6_address_mode": "slaac"], "InvalidInput"),
            ("port", ["fixed_ips": [["ip_address": "10.5.0.4"]]], "InvalidIpForNetwork"),
            ("port", ["fixed_ips": [["subnet_id": "00000000-0000-4000-8000-000000000000"]]], "InvalidInput"),
            ("port", ["mac_address": "nonsense"], "HTTPBadRequest"),
            ("port", ["security_groups": ["00000000-0000-4000-8000-000000000000"]], "SecurityGroupNotFound"),
            ("port", ["port_security_enabled": false, "allowed_address_pairs": [["ip_address": "10.0.0.9"]]], "AddressPairAndPortSecurityRequired"),
        ] as [(String, JSONObject, String)])
    func refusals(noun: String, members: JSONObject, type: String) async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network()
            var body = members
            body["network_id"] = .string(network)
            let reply = await client.send(.post, "/\(noun)s", .object([noun: .object(body)]))
            #expect(reply.type == type, "\(reply.text)")
            #expect(reply.status == .badRequest || reply.status == .conflict || reply.status == .notFound)
        }
    }

    @Test(
        "Lists are filtered by attributes, and several values of one attribute are alternatives",
        arguments: DatabaseKind.allCases)
    func filters(kind: DatabaseKind) async throws {
        try await NetworkingClient.runAsAdmin(on: kind) { _, client in
            let (network, subnet) = try await client.network()
            var ids: [String] = []
            for name in ["a", "b", "c"] {
                ids.append(try await client.port(network, ["name": .string(name), "tags": ["all", .string(name)], "device_id": "d"]).id)
            }
            let address = try #require(await client.list("ports", "name=b").first?.addresses.first)
            for (query, names) in [
                ("name=a", "a"), ("name=a&name=c", "ac"), ("name=", ""), ("tags=all", "abc"), ("tags=all,b", "b"),
                ("tags-any=a,b", "ab"), ("not-tags=all,b", "ac"), ("not-tags-any=a,b", "c"), ("device_id=d&name=b", "b"),
                ("fixed_ips=ip_address=\(address)", "b"), ("fixed_ips=subnet_id=\(subnet)", "abc"),
                ("fixed_ips=ip_address_substr=10.0", "abc"), ("admin_state_up=True", "abc"), ("admin_state_up=false", ""),
                ("network_id=\(network)&sort_key=name&sort_dir=desc", "cba"), ("sort_key=device_id&sort_dir=asc&sort_key=name&sort_dir=desc", "cba"),
            ] {
                let found = await client.list("ports", query).compactMap { $0["name"]?.string }
                #expect(query.contains("sort") ? found.joined() == names : found.sorted().joined() == names, "\(query)")
            }
            #expect(await client.send(.get, "/ports?colour=red").status == .badRequest)
            #expect(await client.send(.get, "/ports?sort_key=colour").status == .badRequest)
            #expect(await client.list("networks", "shared=true").isEmpty)
            #expect(await client.list("networks", "shared=false").count == 1)
        }
    }

    @Test("Items of a bulk request may be wrapped in the name of their resource")
    func wrapped() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network").id
            for (noun, plural, body) in [
                ("network", "networks", ["name": "n"]), ("port", "ports", ["network_id": .string(network)]),
                ("security_group", "security_groups", ["name": "g"]),
            ] as [(String, String, JSON)] {
                let path = "/" + plural.replacing("_", with: "-")
                let made = await client.send(.post, path, .object([plural: [.object([noun: body]), body]]))
                #expect(made.status == .created && made.json[plural]?.array?.count == 2, "\(noun): \(made.text)")
                let wrong = await client.send(.post, path, .object([plural: [.object(["other": body])]]))
                #expect(wrong.status == .badRequest, "\(noun): \(wrong.text)")
            }
        }
    }

    @Test("A subnet keeps the service types of its request")
    func serviceTypes() async throws {
        try await NetworkingClient.runAsMember { _, client in
            let network = try await client.make("network").id
            let types: JSON = ["compute:nova"]
            let body: JSONObject = ["network_id": .string(network), "ip_version": 4, "cidr": "10.0.0.0/24", "service_types": types]
            let subnet = try await client.make("subnet", body)
            #expect(subnet["service_types"] == types)
            #expect(await client.change("subnet", subnet.id, ["service_types": []]).json["subnet"]?["service_types"] == [])
        }
    }

    @Test("A VLAN network without a segmentation id gets a free one")
    func vlans() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let body: JSONObject = ["provider:network_type": "vlan", "provider:physical_network": "public"]
            var seen: Set<Int64> = []
            for _ in 0..<5 {
                let segment = try #require(try await client.make("network", body)["provider:segmentation_id"]?.integer)
                #expect((1...4094).contains(segment))
                seen.insert(segment)
            }
            #expect(seen.count == 5)
        }
    }

    @Test("Pages link to the next and the previous page")
    func pages() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            let names = ["a", "b", "c", "d", "e"]
            for name in names { try await client.make("network", ["name": .string(name)]) }
            let first = await client.send(.get, "/networks?limit=2&sort_key=name&sort_dir=asc").json
            #expect(first["networks"]?.array?.compactMap { $0["name"]?.string } == ["a", "b"])
            let next = try #require(first["networks_links"]?.array?.first { $0["rel"] == "next" }?["href"]?.string)
            let second = await cloud.send(.get, String(next.dropFirst(TestCloud.url.count)), token: client.token).json
            #expect(second["networks"]?.array?.compactMap { $0["name"]?.string } == ["c", "d"])
            let previous = try #require(second["networks_links"]?.array?.first { $0["rel"] == "previous" }?["href"]?.string)
            let back = await cloud.send(.get, String(previous.dropFirst(TestCloud.url.count)), token: client.token).json
            #expect(back["networks"]?.array?.compactMap { $0["name"]?.string } == ["a", "b"])
        }
    }

    @Test("A list of ports costs at most two transactions, with addresses and groups")
    func costs() async throws {
        try await NetworkingClient.runAsAdmin { cloud, client in
            let (network, _) = try await client.network()
            for _ in 0..<3 { _ = try await client.port(network) }
            let before = cloud.database.transactions
            #expect(await client.list("ports").count == 3)
            #expect(cloud.database.transactions - before <= 2)
        }
    }

    @Test("A change with an outdated revision number is refused")
    func revisions() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network")
            let body: JSON = ["network": ["name": "new"]]
            let header: HTTPFields = [.ifMatch: "revision_number=0"]
            let first = await client.send(.put, "/networks/\(network.id)", body, headers: header)
            #expect(first.json["network"]?["revision_number"] == 1)
            let late = await client.send(.put, "/networks/\(network.id)", body, headers: header)
            #expect(late.status == .preconditionFailed)
            #expect(late.type == "RevisionNumberConstraintFailed")
        }
    }

    @Test("Tags are added, replaced, shown and deleted")
    func tags() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let path = "/networks/\(try await client.make("network").id)/tags"
            #expect(await client.send(.put, path + "/red").status == .created)
            #expect(await client.send(.put, path, ["tags": ["blue", "green"]]).json["tags"] == ["blue", "green"])
            #expect(await client.send(.get, path + "/red").type == "TagNotFound")
            #expect(await client.send(.get, path + "/blue").status == .noContent)
            #expect(await client.send(.delete, path + "/blue").status == .noContent)
            #expect(await client.send(.get, path).json["tags"] == ["green"])
            #expect(await client.send(.post, path, ["tags": ["green", "grey"]]).json["tags"] == ["green", "grey"])
            #expect(await client.send(.delete, path).status == .noContent)
            #expect(await client.send(.get, path).json["tags"] == [])
        }
    }

    @Test("A member sees own and shared networks, and changes only its own")
    func visibility() async throws {
        try await NetworkingClient.run { _, admin, member in
            let (hidden, _) = try await admin.network("hidden")
            let (shared, _) = try await admin.network("shared", cidr: "10.1.0.0/24", ["shared": true])
            let (external, _) = try await admin.network("external", cidr: "10.2.0.0/24", ["router:external": true])
            let own = try await member.make("network", ["name": "own"])
            #expect(own["provider:network_type"] == nil)
            let names = await member.list("networks").compactMap { $0["name"]?.string }
            #expect(names.sorted() == ["external", "own", "shared"])
            #expect(await member.send(.get, "/networks/\(hidden)").status == .notFound)
            #expect(await member.send(.delete, "/networks/\(hidden)").status == .notFound)
            #expect(await member.send(.delete, "/networks/\(shared)").status == .forbidden)
            #expect(await member.send(.post, "/ports", ["port": ["network_id": .string(hidden)]]).status == .notFound)
            #expect(await member.send(.post, "/ports", ["port": ["network_id": .string(external)]]).status == .forbidden)
            let port = try await member.port(shared)
            #expect(port["binding:host_id"] == nil)
            #expect(await member.send(.post, "/networks", ["network": ["shared": true]]).status == .forbidden)
            #expect(await member.send(.post, "/networks", ["network": ["shared": false]]).status == .created)
            #expect(await member.change("network", own.id, ["router:external": true]).status == .forbidden)
            #expect(await member.send(.post, "/networks", ["network": ["project_id": "another"]]).status == .badRequest)
            // A network stays shared while another project uses it.
            #expect(await admin.change("network", shared, ["shared": false]).type == "InvalidSharedSetting")
            #expect(await member.send(.delete, "/ports/\(port.id)").status == .noContent)
            #expect(await admin.change("network", shared, ["shared": false]).status == .ok)
            #expect(await member.send(.get, "/networks/\(shared)").status == .notFound)
        }
    }

    @Test("Deleting an external network deletes its floating IPs without a port")
    func externalRemoval() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network(cidr: "203.0.113.0/24", ["router:external": true])
            let floating = try await client.make("floatingip", ["floating_network_id": .string(network)]).id
            #expect(await client.send(.delete, "/networks/\(network)").status == .noContent)
            #expect(await client.send(.get, "/floatingips/\(floating)").type == "FloatingIPNotFound")
        }
    }

    @Test("A port gets a new MAC address if a change sets it to null")
    func newMAC() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, _) = try await client.network()
            let port = try await client.port(network)
            let new = await client.change("port", port.id, ["mac_address": .null]).json["port"]
            #expect(new?["mac_address"]?.string?.hasPrefix("fa:16:3e:") == true)
            #expect(new?["mac_address"] != port["mac_address"])
            #expect(await client.send(.post, "/ports", ["port": ["network_id": .string(network), "mac_address": new?["mac_address"] ?? .null]]).type == "MacAddressInUse")
        }
    }

    @Test("Ports of a SLAAC subnet get the address that their MAC address gives")
    func automatic() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let network = try await client.make("network").id
            let early = try await client.port(network, ["mac_address": "fa:16:3e:00:00:01"]).id
            let modes: JSONObject = [
                "network_id": .string(network), "ip_version": 6, "cidr": "2001:db8::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac",
            ]
            try await client.make("subnet", modes)
            let late = try await client.port(network, ["mac_address": "fa:16:3e:00:00:02"])
            #expect(late.addresses == ["2001:db8::f816:3eff:fe00:2"])
            #expect(await client.send(.get, "/ports/\(early)").json["port"]?.addresses == ["2001:db8::f816:3eff:fe00:1"])
        }
    }

    @Test("The addresses of a port can be changed one by one")
    func changedAddresses() async throws {
        try await NetworkingClient.runAsAdmin { _, client in
            let (network, subnet) = try await client.network()
            let port = try await client.port(network, ["fixed_ips": [["ip_address": "10.0.0.9"]]])
            let two = await client.change("port", port.id, ["fixed_ips": [["ip_address": "10.0.0.9"], ["subnet_id": .string(subnet), "ip_address": "10.0.0.20"]]])
            #expect(two.json["port"]?.addresses.sorted() == ["10.0.0.20", "10.0.0.9"])
            let kept = await client.change("port", port.id, ["fixed_ips": [["subnet_id": .string(subnet)]]])
            #expect(kept.json["port"]?.addresses.count == 1)
            #expect(await client.change("port", port.id, ["fixed_ips": []]).json["port"]?.addresses == [])
            let again = try await client.port(network, ["fixed_ips": [["ip_address": "10.0.0.9"]]])
            #expect(again.addresses == ["10.0.0.9"])
            #expect(await client.send(.post, "/ports", ["port": ["network_id": .string(network), "fixed_ips": [["ip_address": "10.0.0.9"]]]]).type == "IpAddressInUse")
        }
    }
}
