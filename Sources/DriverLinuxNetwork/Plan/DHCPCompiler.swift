import CloudCore
import Drivers
import HostModel

/// A compiler for the arguments and files of dnsmasq in a network. The names and options of guests are text from users.
/// Text that is not clearly harmless in dnsmasq's files is left out, so that it cannot add anything else to them
/// (OSSA-2021-005).
struct DHCPCompiler: Sendable {
    let names: Names
    let folder: String
    let numbers: Numbers

    /// Returns the plan of a network's dnsmasq; nil if it serves no subnet of the network.
    func compile(_ network: NetworkSpec, _ service: DHCPService, _ ports: [PortSpec], interface: String) -> DHCPPlan? {
        let served = network.subnets.filter { subnet in subnet.isServed && service.addresses.contains { $0.subnet == subnet.id } }
            .sorted { $0.id < $1.id }
        guard !served.isEmpty else { return nil }
        let base = folder + "/" + names.serviceNamespace(network.id)
        var arguments = arguments(of: names.serviceNamespace(network.id)) + ["--interface=\(interface)", "--dhcp-authoritative"]
        arguments += ["--dhcp-hostsfile=\(base).hosts", "--dhcp-optsfile=\(base).options"]
        for subnet in served {
            let last = subnet.prefix.version == .v4 ? Self.mask(subnet.prefix.length) : String(subnet.prefix.length)
            arguments.append("--dhcp-range=set:\(Self.tag(subnet)),\(subnet.prefix.first),static,\(last),86400s")
        }
        let lines = ports.sorted { $0.id < $1.id }.map { host($0, served) }
        let options = served.flatMap { self.options(of: $0, network, service) } + ports.sorted { $0.id < $1.id }.flatMap(options)
        return DHCPPlan(arguments: arguments, hosts: lines.joined(), options: options.map { $0 + "\n" }.joined())
    }

    private func arguments(of name: String) -> [String] {
        let base = folder + "/" + name
        return [
            "dnsmasq", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--no-poll", "--port=0", "--except-interface=lo",
            "--bind-interfaces", "--leasefile-ro", "--quiet-dhcp", "--quiet-dhcp6", "--quiet-ra", "--dhcp-lease-max=100000",
            "--pid-file=\(base).pid", "--user=\(ServerAccount.current.name)",
        ]
    }

    /// Returns the plan of the dnsmasq that sends a router's advertisements (RFC 4861); nil if there is nothing to
    /// advertise. DHCP itself is the work of each network's own service: the router's packet filter keeps DHCPv6
    /// requests away from this dnsmasq.
    func advertise(_ router: RouterSpec, _ networks: [String: NetworkSpec]) -> DHCPPlan? {
        var ranges: [String] = []
        for interface in router.interfaces.sorted(by: { $0.id < $1.id }) {
            let subnets = (networks[interface.network]?.subnets ?? []).filter { subnet in
                subnet.prefix.version == .v6 && interface.addresses.contains { $0.prefix == subnet.prefix }
            }
            let modes = subnets.sorted { $0.id < $1.id }.compactMap { subnet in subnet.advertisement.map { (subnet, $0) } }
            guard !modes.isEmpty else { continue }
            let device = names.inner(interface.id)
            // An advertisement every 100 seconds. Guests stop using a router that has been silent for 600 seconds.
            ranges += ["--interface=\(device)", "--ra-param=\(device),100,600"]
            for (subnet, mode) in modes {
                let word = switch mode {
                case .slaac: "ra-only"
                case .stateless: "ra-stateless"
                case .stateful: "static"
                }
                ranges.append("--dhcp-range=set:\(Self.tag(subnet)),\(subnet.prefix.first),\(word),\(subnet.prefix.length),86400s")
                // These are arguments, because dnsmasq reads no options file if it only advertises.
                ranges += options6(of: subnet).map { "--dhcp-option=\($0)" }
            }
        }
        guard !ranges.isEmpty else { return nil }
        return DHCPPlan(arguments: arguments(of: names.routerNamespace(router.id)) + ["--enable-ra"] + ranges, hosts: "", options: "")
    }

    private func options6(of subnet: SubnetSpec) -> [String] {
        let dns = subnet.dns.filter { $0.version == .v6 }
        return dns.isEmpty ? [] : ["tag:\(Self.tag(subnet)),option6:dns-server," + dns.map { "[\($0)]" }.joined(separator: ",")]
    }

    /// The mark in the line of a host that gives the host a tag.
    static let tagMark = "set:"
    private static func tag(_ subnet: SubnetSpec) -> String { "s" + Names.short(subnet.id) }
    private func tag(_ port: PortSpec) -> String { "p\(numbers.ports[port.id] ?? 0)" }

    static func mask(_ length: Int) -> String { IPAddress(.v4, length == 0 ? 0 : ~UInt128(0) << UInt128(32 - length)).description }

    /// Returns a line for each subnet in which the port has an address; dnsmasq hands out one address for each. Only a
    /// port with options has a tag: some versions of dnsmasq cannot reload changes once they have served a host with a
    /// tag (`DHCPServers.ensure`).
    private func host(_ port: PortSpec, _ served: [SubnetSpec]) -> String {
        var text = ""
        let tag = options(port).isEmpty ? "" : "\(Self.tagMark)\(tag(port)),"
        for subnet in served where subnet.givesAddresses {
            guard let address = port.fixedIPs.first(where: { $0.subnet == subnet.id })?.address else { continue }
            let shown = address.version == .v4 ? address.description : "[\(address)]"
            text += "\(port.mac),\(tag)\(shown),\(Self.hostname(port.hostname, address))\n"
        }
        return text
    }

    /// Returns the user's name if it is a valid host name (RFC 1123), or else a name made of the address.
    static func hostname(_ name: String, _ address: IPAddress) -> String {
        let label = name.utf8.prefix { $0 != UInt8(ascii: ".") }
        let isName = (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            && !label.allSatisfy { (48...57).contains($0) }
        if isName { return String(decoding: label, as: UTF8.self) }
        return "host-" + address.description.replacing(":", with: "-").replacing(".", with: "-")
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) }

    private func options(of subnet: SubnetSpec, _ network: NetworkSpec, _ service: DHCPService) -> [String] {
        guard subnet.prefix.version == .v4 else { return options6(of: subnet) }
        let tag = "tag:" + Self.tag(subnet)
        var lines = ["\(tag),option:mtu,\(network.mtu)"]
        // An option without a value is not sent. If the option were missing, dnsmasq would send its own address.
        lines.append("\(tag),option:router" + (subnet.gateway.map { ",\($0)" } ?? ""))
        lines.append("\(tag),option:dns-server" + subnet.dns.filter { $0.version == .v4 }.map { ",\($0)" }.joined())
        var routes = subnet.hostRoutes.filter { $0.destination.version == .v4 && $0.nextHop.version == .v4 }
        if service.hasMetadata, let own = service.addresses.first(where: { $0.subnet == subnet.id }) {
            routes.append(StaticRoute(to: IPPrefix(MetadataEndpoint.address, 32), by: own.address))
        }
        // A guest that reads this option ignores the router option (RFC 3442), so the default route is repeated here.
        let all = IPPrefix(IPAddress(.v4, 0), 0)
        if let gateway = subnet.gateway, !routes.contains(where: { $0.destination == all }) { routes.append(StaticRoute(to: all, by: gateway)) }
        if !routes.isEmpty {
            let text = routes.map { "\($0.destination),\($0.nextHop)" }.joined(separator: ",")
            lines.append("\(tag),option:classless-static-route,\(text)")
            lines.append("\(tag),249,\(text)")
        }
        return lines
    }

    private func options(_ port: PortSpec) -> [String] {
        port.dhcpOptions.compactMap { Self.line($0).map { "tag:\(tag(port)),\($0)" } }.sorted()
    }

    /// Returns the line of an option; nil for text that dnsmasq might read in more than one way: quotes, backslashes,
    /// comments, control characters.
    static func line(_ option: DHCPOption) -> String? {
        let isNumber = Int(option.name).map { (1...254).contains($0) && String($0) == option.name } ?? false
        let isWord = (1...40).contains(option.name.utf8.count) && option.name.utf8.first.map { (97...122).contains($0) } == true
            && option.name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard isNumber || isWord else { return nil }
        let banned = Array("\"\\#".utf8)
        guard (1...255).contains(option.value.utf8.count),
            option.value.utf8.allSatisfy({ (33...126).contains($0) && !banned.contains($0) })
        else { return nil }
        // dnsmasq expects the number of an IPv4 option without a prefix.
        let word = option.version == .v6 ? "option6:" : isNumber ? "" : "option:"
        return "\(word)\(option.name),\(option.value)"
    }
}
