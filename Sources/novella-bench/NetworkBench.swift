import ArgumentParser
import CloudCore
import DriverLinuxNetwork
import HostModel

struct NetworkBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "networks",
        abstract: "Make the networks of this host, in the network namespace that the program is run in, and take them away again. Needs root.",
        discussion: "Run it in a namespace of its own: sudo unshare -n -m sh -c 'mount -t tmpfs none /run/netns; novella-bench networks --folder /tmp/b'")

    @Option(help: "A folder that is not there yet.") var folder: String
    @Option(help: "Ports on the host, one run for each number.") var ports: [Int] = [1, 100, 1000]

    func run() async throws {
        let columns = ["ports", "networks", "from nothing", "the same again", "a new process", "a port more", "a rule more", "a floating IP more", "all away"]
        print("| " + columns.joined(separator: " | ") + " |")  // tidy: allow print, what it was started for
        print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|")  // tidy: allow print, what it was started for
        for count in ports {
            let settings = LinuxNetwork.Settings(folder: folder, tag: "bnc")
            let driver = try LinuxNetwork(settings)
            var host = CrowdedHost(ports: count)
            var row = ["\(count)", "\(host.state.networks.count)"]
            func step(_ driver: LinuxNetwork, _ change: (inout CrowdedHost) -> Void = { _ in }) async throws {
                change(&host)
                let state = host.state
                let took = try await ContinuousClock().measure {
                    let problems = try await driver.apply(state).problems
                    if let first = problems.first { throw ValidationError("\(problems.count) problems: \(first.subject) \(first.id): \(first.detail)") }
                }
                row.append(Self.text(took))
            }
            try await step(driver)
            try await step(driver)
            try await step(try LinuxNetwork(settings))
            try await step(driver) { $0.ports += 1 }
            try await step(driver) { $0.rules += 1 }
            try await step(driver) { $0.floating += 1 }
            row.append(Self.text(try await ContinuousClock().measure { try await driver.removeAll() }))
            print("| " + row.joined(separator: " | ") + " |")  // tidy: allow print, what it was started for
        }
    }

    private static func text(_ duration: Duration) -> String { "\(Int((duration / .milliseconds(1)).rounded())) ms" }
}

/// A host with tenants of fifty ports each. A tenant has a network with DHCP, a router, a floating IP for every tenth
/// port, and three security groups.
private struct CrowdedHost {
    var ports: Int
    var rules = 5
    var floating = 0
    private static let size = 50

    init(ports: Int) { self.ports = ports }

    private static func id(_ kind: Int, _ number: Int) -> String { UUIDText.derived(from: "\(kind)/\(number)", in: "6a3c1d1e-0f0b-4c6f-9f3e-5a1e6b6d7c10") }
    private static func mac(_ kind: UInt8, _ number: Int) -> MACAddress {
        MACAddress([0xfa, 0x16, kind, UInt8(number >> 16), UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)])
    }
    private static func address(_ tenant: Int, _ host: Int) -> IPAddress { IPAddress(.v4, UInt128(10 << 24 | tenant << 8 | host)) }

    var state: HostNetworkState {
        var state = HostNetworkState(generation: 1)
        let external = IPAddress(.v4, 0xac18_0400)
        state.networks.append(
            NetworkSpec(
                id: Self.id(0, 0), segment: .routed(addresses: [InterfaceAddress(external + 1, 22)]),
                subnets: [SubnetSpec(id: "external", prefix: IPPrefix(external, 22), gateway: external + 1, hasDHCP: false)]))
        let tenants = (ports + Self.size - 1) / Self.size
        for tenant in 0..<tenants { add(tenant, external, to: &state) }
        let rules = (0..<self.rules).map { SecurityRule(id: "r\($0)", .ingress, proto: IPProtocol.tcp, ports: PortRange(UInt16(20 + $0))) }
            + [SecurityRule(id: "out", .egress)]
        for tenant in 0..<tenants {
            let members = state.ports.filter { $0.network == Self.id(1, tenant) }.flatMap(\.fixedIPs).map { IPPrefix($0.address, 32) }
            state.groups += (0..<3).map { SecurityGroupSpec(id: Self.id(2, tenant * 3 + $0), rules: rules, members: members) }
            state.groups[state.groups.count - 3].rules.append(SecurityRule(id: "group", .ingress, remote: .group(Self.id(2, tenant * 3))))
        }
        return state
    }

    private func add(_ tenant: Int, _ external: IPAddress, to state: inout HostNetworkState) {
        let network = Self.id(1, tenant)
        let subnet = SubnetSpec(
            id: Self.id(3, tenant), prefix: IPPrefix(Self.address(tenant, 0), 24), gateway: Self.address(tenant, 1), dns: [Self.address(tenant, 1)])
        state.networks.append(
            NetworkSpec(
                id: network, mtu: 1450, subnets: [subnet],
                service: DHCPService(mac: Self.mac(1, tenant), addresses: [FixedIP(Self.address(tenant, 2), subnet: subnet.id)])))
        let own = tenant * Self.size..<min(ports, (tenant + 1) * Self.size)
        for number in own {
            state.ports.append(
                PortSpec(
                    id: Self.id(4, number), network: network, mac: Self.mac(2, number),
                    fixedIPs: [FixedIP(Self.address(tenant, 10 + number - own.lowerBound), subnet: subnet.id)],
                    groups: [Self.id(2, tenant * 3), Self.id(2, tenant * 3 + 1 + number % 2)]))
        }
        let pairs = own.filter { $0 % 10 == 0 || $0 % 10 <= floating && $0 < floating + 1 }
        state.routers.append(
            RouterSpec(
                id: Self.id(5, tenant),
                interfaces: [
                    RouterInterface(
                        id: Self.id(6, tenant), network: network, mac: Self.mac(3, tenant), addresses: [InterfaceAddress(Self.address(tenant, 1), 24)])
                ],
                gateway: ExternalGateway(
                    interface: RouterInterface(
                        id: Self.id(7, tenant), network: Self.id(0, 0), mac: Self.mac(4, tenant), addresses: [InterfaceAddress(external + 10 + tenant, 22)]),
                    nextHops: [external + 1]),
                floatingIPs: pairs.map { FloatingIP(id: Self.id(8, $0), external: external + 100 + ($0 / 10) * 2 + $0 % 10, fixed: Self.address(tenant, 10 + $0 - own.lowerBound)) }))
    }
}
