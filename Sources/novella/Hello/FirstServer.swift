import CloudCore
import ControlPlane
import NIOCore

/// The first server of a new cloud, and everything that it needs. All of it is created through the public API;
/// resources whose names already exist are left as they are.
struct FirstServer: Sendable {
    /// The folder with the guest's files `kernel` and `ramdisk`.
    let guest: String
    /// The path for the private key.
    let keyFile: String
    let admin: CloudClient
    let demo: CloudClient
    let steps: StepLog

    static let serverName = "hello"
    /// The first three numbers of the network of floating addresses. The host itself has the network's first address.
    private static let externalNetwork = "172.24.4"
    private static let privateNetwork = "10.10.0.0/24"

    struct Result: Sendable {
        var serverID: String
        var fixedAddress: String
        var floatingAddress: String
    }

    func make() async throws -> Result {
        try await steps.run("flavors") { try await flavors() }
        let image = try await steps.run("image") { try await guestImage() }
        let external = try await steps.run("external network") { try await externalNetwork() }
        let network = try await steps.run("network and router") { try await privateNetwork(external: external) }
        let group = try await steps.run("key pair and security group") {
            try await keyPair()
            return try await securityGroup()
        }
        try await steps.run("a host") { try await host() }
        let server = try await steps.run("server") { try await helloServer(image: image, network: network, group: group) }
        let (fixed, floating) = try await steps.run("floating IP") { try await floatingAddress(of: server, external: external) }
        return Result(serverID: server, fixedAddress: fixed, floatingAddress: floating)
    }

    // MARK: Finding or making

    /// Returns the id of the resource with a name; nil if there is none.
    private func find(_ client: CloudClient, _ service: String, _ path: String, _ list: String, _ name: String, by key: String = "name") async throws -> String? {
        let found = try await client.call("GET", service, path)[list]?.array ?? []
        return found.first { $0[key]?.string == name }?["id"]?.string
    }

    private func id(_ answer: JSON, _ noun: String?) throws -> String {
        let made = noun.map { answer[$0] ?? .null } ?? answer
        guard let id = made["id"]?.string else { throw ClientError("The cloud gave no id: \(answer.text.prefix(200))") }
        return id
    }

    private func ensure(
        _ client: CloudClient, _ path: String, _ list: String, _ noun: String, _ name: String, _ body: JSONObject
    ) async throws -> String {
        if let there = try await find(client, "network", "/v2.0/\(path)?name=\(name)", list, name) { return there }
        var body = body
        body["name"] = .string(name)
        return try id(try await client.call("POST", "network", "/v2.0/\(path)", [noun: .object(body)]), noun)
    }

    // MARK: Parts

    /// Waits for a host. A cloud that has just started is still examining its host.
    private func host() async throws {
        try await steps.wait(for: .seconds(60), "a host that can run machines; `novella doctor` says what one lacks") {
            let all = try await admin.call("GET", "compute", "/os-hypervisors/detail")["hypervisors"]?.array ?? []
            return all.contains { $0["state"] == "up" && $0["status"] == "enabled" } ? true : nil
        }
    }

    private func flavors() async throws {
        let wanted: [(name: String, vcpus: Int64, ram: Int64, disk: Int64)] = [
            ("nano", 1, 128, 1), ("tiny", 1, 512, 1), ("small", 1, 2048, 20), ("medium", 2, 4096, 40), ("large", 4, 8192, 80),
        ]
        let there = Set((try await admin.call("GET", "compute", "/flavors")["flavors"]?.array ?? []).compactMap { $0["name"]?.string })
        for flavor in wanted where !there.contains(flavor.name) {
            let body: JSON = ["name": .string(flavor.name), "vcpus": .integer(flavor.vcpus), "ram": .integer(flavor.ram), "disk": .integer(flavor.disk)]
            try await admin.call("POST", "compute", "/flavors", ["flavor": body])
        }
    }

    private func guestImage() async throws -> String {
        if let there = try await find(admin, "image", "/v2/images?name=guest", "images", "guest") { return there }
        let kernel = try await image("guest-kernel", format: "aki", try bytes("kernel"))
        let ramdisk = try await image("guest-ramdisk", format: "ari", try bytes("ramdisk"))
        return try await image(
            "guest", format: "raw", ByteBuffer(repeating: 0, count: 1 << 20), ["kernel_id": .string(kernel), "ramdisk_id": .string(ramdisk)])
    }

    private func bytes(_ name: String) throws -> ByteBuffer {
        guard let bytes = FileBytes.read("\(guest)/\(name)") else {
            throw ClientError("There is no \(guest)/\(name): scripts/guest-image builds the guest, and --guest names its folder.")
        }
        return bytes
    }

    private func image(_ name: String, format: String, _ bytes: ByteBuffer, _ properties: JSONObject = [:]) async throws -> String {
        var body: JSONObject = ["name": .string(name), "disk_format": .string(format), "visibility": "public"]
        body["container_format"] = format == "raw" ? "bare" : .string(format)
        for (key, value) in properties.members { body[key] = value }
        let id = try id(try await admin.call("POST", "image", "/v2/images", .object(body)), nil)
        try await admin.upload(bytes, to: "/v2/images/\(id)/file")
        return id
    }

    private func externalNetwork() async throws -> String {
        let network = try await ensure(admin, "networks", "networks", "network", "public", ["router:external": true])
        let prefix = Self.externalNetwork
        _ = try await ensure(
            admin, "subnets", "subnets", "subnet", "public",
            [
                "network_id": .string(network), "ip_version": 4, "cidr": .string(prefix + ".0/24"), "gateway_ip": .string(prefix + ".1"),
                "enable_dhcp": false, "allocation_pools": [["start": .string(prefix + ".10"), "end": .string(prefix + ".254")]],
            ])
        return network
    }

    private func privateNetwork(external: String) async throws -> String {
        let network = try await ensure(demo, "networks", "networks", "network", "private", [:])
        let subnet = try await ensure(
            demo, "subnets", "subnets", "subnet", "private",
            ["network_id": .string(network), "ip_version": 4, "cidr": .string(Self.privateNetwork), "dns_nameservers": ["9.9.9.9"]])
        let router = try await ensure(
            demo, "routers", "routers", "router", "router", ["external_gateway_info": ["network_id": .string(external)]])
        let ports = try await demo.call("GET", "network", "/v2.0/ports?device_id=\(router)&network_id=\(network)")["ports"]?.array ?? []
        if ports.isEmpty {
            try await demo.call("PUT", "network", "/v2.0/routers/\(router)/add_router_interface", ["subnet_id": .string(subnet)])
        }
        return network
    }

    /// Creates a key pair. The cloud generates the key, because the caller has none.
    private func keyPair() async throws {
        let there = try await demo.call("GET", "compute", "/os-keypairs")["keypairs"]?.array ?? []
        let isThere = there.contains { $0["keypair"]?["name"]?.string == Self.serverName }
        if isThere, FileBytes.read(keyFile) != nil { return }
        if isThere { try await demo.call("DELETE", "compute", "/os-keypairs/\(Self.serverName)") }
        let made = try await demo.call("POST", "compute", "/os-keypairs", ["keypair": ["name": .string(Self.serverName)]])
        guard let key = made["keypair"]?["private_key"]?.string else { throw ClientError("The cloud gave no private key.") }
        try FileBytes.writePrivate(key, to: keyFile)
    }

    private func securityGroup() async throws -> String {
        let name = Self.serverName
        if let there = try await find(demo, "network", "/v2.0/security-groups?name=\(name)", "security_groups", name) { return there }
        let group = try id(
            try await demo.call("POST", "network", "/v2.0/security-groups", ["security_group": ["name": .string(name)]]), "security_group")
        for rule: JSONObject in [["protocol": "icmp"], ["protocol": "tcp", "port_range_min": 22, "port_range_max": 22]] {
            var rule = rule
            (rule["direction"], rule["ethertype"], rule["security_group_id"]) = ("ingress", "IPv4", .string(group))
            try await demo.call("POST", "network", "/v2.0/security-group-rules", ["security_group_rule": .object(rule)])
        }
        return group
    }

    private func helloServer(image: String, network: String, group: String) async throws -> String {
        if let there = try await find(demo, "compute", "/servers?name=%5E\(Self.serverName)%24", "servers", Self.serverName) {
            try await waitForActive(there)
            return there
        }
        guard let flavor = try await find(demo, "compute", "/flavors", "flavors", "nano") else { throw ClientError("There is no flavor nano.") }
        let made = try await demo.call(
            "POST", "compute", "/servers",
            [
                "server": [
                    "name": .string(Self.serverName), "flavorRef": .string(flavor), "imageRef": .string(image), "key_name": .string(Self.serverName),
                    "networks": [["uuid": .string(network)]], "security_groups": [["name": .string(Self.serverName)]],
                ]
            ])
        let server = try id(made, "server")
        try await waitForActive(server)
        return server
    }

    private func waitForActive(_ server: String) async throws {
        try await steps.wait(for: .seconds(180), "the server to become active") {
            let shown = try await demo.call("GET", "compute", "/servers/\(server)")["server"] ?? .null
            if shown["status"] == "ERROR" {
                throw ClientError("The server failed: \(shown["fault"]?["message"]?.string ?? "no reason was given").")
            }
            return shown["status"] == "ACTIVE" ? true : nil
        }
    }

    private func floatingAddress(of server: String, external: String) async throws -> (fixed: String, floating: String) {
        let ports = try await demo.call("GET", "network", "/v2.0/ports?device_id=\(server)")["ports"]?.array ?? []
        guard let port = ports.first?["id"]?.string, let fixed = ports.first?["fixed_ips"]?.array?.first?["ip_address"]?.string else {
            throw ClientError("The server has no port.")
        }
        let there = try await demo.call("GET", "network", "/v2.0/floatingips?port_id=\(port)")["floatingips"]?.array?.first
        if let address = there?["floating_ip_address"]?.string { return (fixed, address) }
        let made = try await demo.call(
            "POST", "network", "/v2.0/floatingips", ["floatingip": ["floating_network_id": .string(external), "port_id": .string(port)]])
        guard let address = made["floatingip"]?["floating_ip_address"]?.string else { throw ClientError("The cloud gave no floating IP.") }
        return (fixed, address)
    }
}
