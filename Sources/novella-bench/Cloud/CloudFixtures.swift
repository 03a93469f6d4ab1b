import CloudCore

/// The things that the benchmark makes through the API before it fills the cloud: two projects, their networks, and one
/// server in each, which is the pattern for the others.
struct CloudFixtures: Sendable {
    /// A project with its networks.
    struct Project: Sendable {
        let name: String
        let id: String
        var networks: [Network] = []
        /// The first server.
        var server = ""
    }

    /// A network, with a security group of its own whose members may reach each other.
    struct Network: Sendable {
        let id: String
        let subnet: String
        let group: String
        /// The first address of the subnet.
        let first: IPAddress
    }

    /// The ports that copied servers have on one network. Their addresses begin at the tenth; no other port gets them.
    static let portsEach = 100
    private static let (firstOwn, lastOwn) = (10, 149)
    /// The last part of the first server's address.
    static let ofServer = 250

    private(set) var all: Project
    private(set) var some: Project
    let flavor: String
    let image: String
    private(set) var router = ""
    private(set) var external = ""

    /// - Parameters:
    ///   - few: the servers that the second project is to have.
    init(on cloud: CloudUnderTest, servers: Int, few: Int) throws {
        let admin = try cloud.administrator()
        // Flavors and servers have numbers in JSON under the same name. These differ.
        for number in 1...10 {
            let flavor: JSON = [
                "id": .string("bench-\(number)"), "name": .string("bench \(number)"), "vcpus": 1, "ram": 64, "disk": 1,
            ]
            try admin.call("POST", "/compute/v2.1/flavors", ["flavor": flavor])
        }
        flavor = "bench-10"
        let made = try admin.call(
            "POST", "/image/v2/images",
            ["name": "bench", "disk_format": "raw", "container_format": "bare", "visibility": "public"])
        image = made.json.id
        try admin.call(
            "PUT", "/image/v2/images/\(image)/file", [UInt8](repeating: 0, count: 512), type: "application/octet-stream"
        )
        all = try Self.project("bench-all", admin)
        some = try Self.project("bench-some", admin)
        var next = IPAddress(.v4, 0x0a00_0000)
        try Self.fill(&all, servers - few, flavor, image, cloud, &next)
        try Self.fill(&some, few, flavor, image, cloud, &next)
        try makeRouter(try cloud.administrator(of: all.name))
    }

    private static func project(_ name: String, _ admin: CloudUser) throws -> Project {
        let id = try admin.make("/identity/v3/projects", "project", ["name": .string(name)]).id
        let roles = try admin.call("GET", "/identity/v3/roles?name=admin").json["roles"]?.array ?? []
        try admin.call("PUT", "/identity/v3/projects/\(id)/users/\(admin.userID)/roles/\(roles.first?.id ?? "")")
        let open: JSON = ["instances": -1, "cores": -1, "ram": -1]
        try admin.call("PUT", "/compute/v2.1/os-quota-sets/\(id)", ["quota_set": open])
        let networks: JSON = [
            "network": -1, "subnet": -1, "port": -1, "security_group": -1, "security_group_rule": -1, "router": -1,
            "floatingip": -1,
        ]
        try admin.call("PUT", "/network/v2.0/quotas/\(id)", ["quota": networks])
        return Project(name: name, id: id)
    }

    private static func fill(
        _ project: inout Project, _ servers: Int, _ flavor: String, _ image: String, _ cloud: CloudUnderTest,
        _ next: inout IPAddress
    ) throws {
        let user = try cloud.administrator(of: project.name)
        for number in 0...servers / portsEach {
            project.networks.append(try network("\(project.name)-\(number)", next, user))
            next = next + 256
        }
        let network = project.networks[0]
        let server: JSON = [
            "name": .string("\(project.name)-first"), "flavorRef": .string(flavor), "imageRef": .string(image),
            "networks": [["uuid": .string(network.id), "fixed_ip": .string((network.first + ofServer).description)]],
            "security_groups": [["name": .string(network.group)]],
        ]
        project.server = try user.make("/compute/v2.1/servers", "server", server).id
        try CloudWork.awaitActive(project.server, user)
    }

    private static func network(_ name: String, _ first: IPAddress, _ user: CloudUser) throws -> Network {
        let name = JSON.string(name)
        let id = try user.make("/network/v2.0/networks", "network", ["name": name]).id
        func pool(_ low: Int, _ high: Int) -> JSON {
            ["start": .string((first + low).description), "end": .string((first + high).description)]
        }
        let subnet: JSON = [
            "network_id": .string(id), "ip_version": 4, "cidr": .string("\(first)/24"),
            "allocation_pools": [pool(2, firstOwn - 1), pool(lastOwn + 1, 254)],
        ]
        let made = try user.make("/network/v2.0/subnets", "subnet", subnet)
        let group = try user.make("/network/v2.0/security-groups", "security_group", ["name": name]).id
        let rule: JSON = [
            "security_group_id": .string(group), "direction": "ingress", "ethertype": "IPv4",
            "remote_group_id": .string(group),
        ]
        _ = try user.make("/network/v2.0/security-group-rules", "security_group_rule", rule)
        return Network(id: id, subnet: made.id, group: group, first: first)
    }

    /// Makes a router between the first network and one outside, for floating IPs.
    private mutating func makeRouter(_ user: CloudUser) throws {
        external = try user.make(
            "/network/v2.0/networks", "network", ["name": "bench-outside", "router:external": true]
        ).id
        let subnet: JSON = [
            "network_id": .string(external), "ip_version": 4, "cidr": "172.30.0.0/16", "enable_dhcp": false,
        ]
        _ = try user.make("/network/v2.0/subnets", "subnet", subnet)
        let outside: JSON = ["name": "bench", "external_gateway_info": ["network_id": .string(external)]]
        router = try user.make("/network/v2.0/routers", "router", outside).id
        try user.call(
            "PUT", "/network/v2.0/routers/\(router)/add_router_interface",
            ["subnet_id": .string(all.networks[0].subnet)])
    }

    // MARK: Addresses of copies

    /// Returns the address of a copied server by its number in the project.
    static func address(_ number: Int, in network: Network) -> IPAddress {
        network.first + firstOwn + number % portsEach
    }

    /// Returns the address of the DHCP port on a host by the host's number among those of the network.
    static func dhcpAddress(_ number: Int, in network: Network) -> IPAddress {
        network.first + firstOwn + portsEach + number
    }

    /// The most hosts of one network.
    static let mostHosts = lastOwn - firstOwn - portsEach + 1
}
