import CloudCore
import Drivers
import HostModel

/// A compiler for the packet filter of a host's own namespace: the addresses from which guests may send, the rules of
/// security groups, and the masquerading of networks that end on the host. All of it is one transaction.
///
/// Table `bridge` marks a frame from a guest with the number of its port, and checks the addresses that it claims as
/// its source. The groups are in table `inet`, where br_netfilter shows bridged packets and connections are tracked.
/// Each network has its own zone of connection tracking, because two networks may use the same addresses. Packets that
/// leave a guest are judged at `prerouting`, where the mark is the sender's; before `forward` the mark becomes the
/// receiver's. The rules judge each packet in the direction in which its flow began, even in an established flow, so a
/// removed rule also cuts the flows that it had allowed. Packets in the reply direction pass.
///
/// Ports with the same groups share their chains, so that a further port adds elements to maps and no rules.
struct FilterCompiler: Sendable {
    static let families = ["bridge", "inet", "ip"]

    let names: Names
    let rules: RuleWriter
    let numbers: Numbers
    /// The ids of rules that the kernel does not accept.
    let refused: Set<String>

    func compile(_ state: HostNetworkState, ports: [PortSpec], plan: inout HostPlan) -> String {
        let secured = ports.filter(\.isSecured)
        let apartBridges = Set(plan.bridges.filter { $0.isOwn && !$0.isRouted }.map(\.name))
        let routed = plan.bridges.filter(\.isRouted).sorted { $0.name < $1.name }
        var members = plan.taps.map { (name: $0.name, bridge: $0.bridge) }
        members += plan.namespaces.flatMap(\.links).map { ($0.outer, $0.bridge) }
        members += plan.bridges.compactMap { bridge in bridge.tunnel.map { ($0.name, bridge.name) } }
        var text = "add table bridge \(names.table)\ndelete table bridge \(names.table)\ntable bridge \(names.table) {\n"
        text += Ruleset.set("member", "ifname", members.map { Ruleset.quoted($0.name) }.sorted())
        text += Ruleset.set("apart", "ifname", members.filter { apartBridges.contains($0.bridge) }.map { Ruleset.quoted($0.name) }.sorted())
        text += Ruleset.map("number", "ifname : mark", secured.map { "\(Ruleset.quoted($0.tap)) : \(mark($0))" })
        text += Ruleset.set("service", "ifname", services(plan))
        text += claims(secured)
        text += FilterChains.bridge
        text += "}\nadd table inet \(names.table)\ndelete table inet \(names.table)\ntable inet \(names.table) {\n"
        let bridges = Ruleset.set("bridges", "ifname", plan.bridges.map { Ruleset.quoted($0.name) }.sorted())
        text += bridges
        text += Ruleset.set("within", "ifname . ifname", plan.bridges.map { "\(Ruleset.quoted($0.name)) . \(Ruleset.quoted($0.name))" }.sorted())
        text += Ruleset.set("routed", "ifname", routed.map { Ruleset.quoted($0.name) })
        text += Self.tunnels(plan)
        text += groups(state, secured, &plan)
        let zones = plan.bridges.compactMap { bridge in plan.zones[bridge.network].map { "\(Ruleset.quoted(bridge.name)) : \($0)" } }.sorted()
        text += "  chain zone {\n    type filter hook prerouting priority raw; policy accept;\n"
        if !zones.isEmpty { text += "    ct zone set iifname map { \(zones.joined(separator: ", ")) }\n" }
        text += "  }\n"
        text += FilterChains.inet
        text += "}\nadd table ip \(names.table)\ndelete table ip \(names.table)\ntable ip \(names.table) {\n"
        return text + Self.masquerade(routed, bridges) + "}\n"
    }

    /// The first mark. Marks are shared by the whole host, so they come from a range that other software is unlikely to
    /// use.
    static let marks = 0x6e00_0000

    /// Returns the packet mark of a port.
    private func mark(_ port: PortSpec) -> String {
        "0x" + String(Self.marks + (numbers.ports[port.id] ?? 0), radix: 16)
    }

    /// Returns the devices behind which the networks' own services are.
    private func services(_ plan: HostPlan) -> [String] {
        plan.namespaces.filter { !$0.isRouter }.flatMap(\.links).map { Ruleset.quoted($0.outer) }.sorted()
    }

    /// Returns the sets of this host's ends of tunnels, and of the hosts at the other ends.
    private static func tunnels(_ plan: HostPlan) -> String {
        let all = plan.bridges.compactMap(\.tunnel)
        let peers = Set(all.flatMap(\.forwarding).compactMap { IPAddress($0.host) })
        return [("end", Set(all.map(\.local))), ("peer", peers)].map { name, addresses in
            [IPAddress.Version.v4, .v6].map { version in
                let elements = addresses.filter { $0.version == version }.sorted().map(\.description)
                return Ruleset.set("tunnel_\(name)\(version.rawValue)", "ipv\(version.rawValue)_addr", elements)
            }.joined()
        }.joined()
    }

    // MARK: - Whom a guest may claim to be

    private func claims(_ ports: [PortSpec]) -> String {
        var macs: Set<String> = []
        var clients: Set<String> = []
        var exact: [IPAddress.Version: Set<String>] = [.v4: [], .v6: []]
        var ranges: [IPAddress.Version: Set<String>] = [.v4: [], .v6: []]
        var targets: Set<String> = []
        var targetRanges: Set<String> = []
        for port in ports {
            let mark = mark(port)
            // For each MAC address, the link-local address that a guest derives from it is also allowed (RFC 4291).
            var claims = port.fixedIPs.map { (port.mac, IPPrefix($0.address, $0.address.version.bits)) }
            claims += port.allowedPairs.map { ($0.mac ?? port.mac, $0.prefix) }
            let linkLocal = IPPrefix(IPAddress(.v6, 0xfe80 << 112), 64)
            claims += Set([port.mac] + port.allowedPairs.compactMap(\.mac)).map { ($0, IPPrefix($0.address(in: linkLocal), 128)) }
            for (mac, prefix) in Self.disjoint(claims) {
                macs.insert("\(mark) . \(mac)")
                clients.insert("\(mark) . 0x\(Hex.text(mac.bytes))")
                let isExact = prefix.length == prefix.version.bits
                let element = "\(mark) . \(mac) . \(isExact ? prefix.first.description : prefix.description)"
                if isExact { exact[prefix.version]?.insert(element) } else { ranges[prefix.version]?.insert(element) }
            }
            for prefix in Self.disjoint(claims.filter { $0.1.version == .v6 }.map { (port.mac, $0.1) }).map(\.1) {
                let first = "0x" + prefix.first.key
                if prefix.length == 128 { targets.insert("\(mark) . \(first)") } else { targetRanges.insert("\(mark) . \(first)-0x\(prefix.last.key)") }
            }
            macs.insert("\(mark) . \(port.mac)")
            clients.insert("\(mark) . 0x\(Hex.text(port.mac.bytes))")
        }
        var text = Ruleset.set("mac", "mark . ether_addr", macs.sorted())
        // The hardware address of a client follows 36 bytes of UDP and DHCP.
        text += Ruleset.set("client", "typeof meta mark . @th,288,48", clients.sorted())
        for version in [IPAddress.Version.v4, .v6] {
            let type = "mark . ether_addr . ipv\(version.rawValue)_addr"
            text += Ruleset.set("address\(version.rawValue)", type, (exact[version] ?? []).sorted())
            text += Ruleset.set("range\(version.rawValue)", type, (ranges[version] ?? []).sorted(), isInterval: true)
        }
        // The target of a neighbour advertisement follows eight bytes of ICMPv6.
        text += Ruleset.set("target", "typeof meta mark . @th,64,128", targets.sorted())
        text += Ruleset.set("target_range", "typeof meta mark . @th,64,128", targetRanges.sorted(), isInterval: true)
        return text
    }

    /// Returns the claims without those inside another claim of the same MAC address. The kernel refuses sets with
    /// overlapping elements.
    private static func disjoint(_ claims: [(MACAddress, IPPrefix)]) -> [(MACAddress, IPPrefix)] {
        var kept: [(MACAddress, IPPrefix)] = []
        let sorted = claims.sorted { ($0.0, $0.1.length, $0.1) < ($1.0, $1.1.length, $1.1) }
        for claim in sorted where !kept.contains(where: { $0.0 == claim.0 && $0.1.contains(claim.1) }) { kept.append(claim) }
        return kept
    }

    // MARK: - Security groups

    private func groups(_ state: HostNetworkState, _ ports: [PortSpec], _ plan: inout HostPlan) -> String {
        let known = Dictionary(state.groups.map { ($0.id, $0) }) { first, _ in first }
        let used = Set(ports.flatMap(\.groups))
        for port in ports {
            for id in Set(port.groups) where known[id] == nil { plan.problems.append(NetworkProblem(.port, port.id, "there is no group \(id)")) }
        }
        let sets = RemoteSets(RuleBook(state))
        var remotes: [String: String] = [:]
        var chains = ""
        for id in used.sorted() {
            guard let group = known[id] else { continue }
            for direction in SecurityRule.Direction.allCases {
                var lines: Set<String> = []
                for rule in group.rules where rule.direction == direction {
                    if let fault = refused.contains(rule.id) ? "the kernel refuses it" : rule.fault {
                        plan.problems.append(NetworkProblem(.group, id, "rule \(rule.id): \(fault)"))
                        continue
                    }
                    let remote = sets.set(for: rule)
                    if let remote { remotes[remote.name] = remote.text }
                    if let line = rules.text(rule, remoteSet: remote?.name) { lines.insert(line) }
                }
                chains += chain("group_\(direction.rawValue)_\(Names.short(id))", lines.sorted())
            }
        }
        var profiles: [String: [String]] = [:]
        var maps: [SecurityRule.Direction: [String]] = [:]
        var routedPorts: [String: (isFixed: Bool, profile: String)] = [:]
        for port in ports {
            let groups = Set(port.groups).filter { known[$0] != nil }.sorted()
            let profile = Names.short(groups.joined(separator: "/"))
            profiles[profile] = groups
            for claim in routedClaims(port, plan) where routedPorts[claim.key].map({ !$0.isFixed && claim.isFixed }) ?? true {
                routedPorts[claim.key] = (claim.isFixed, profile)
            }
            for direction in SecurityRule.Direction.allCases {
                maps[direction, default: []].append("\(mark(port)) : goto ports_\(direction.rawValue)_\(profile)")
            }
        }
        for (profile, groups) in profiles.sorted(by: { $0.key < $1.key }) {
            for direction in SecurityRule.Direction.allCases {
                let jumps = groups.map { "jump group_\(direction.rawValue)_\(Names.short($0))" }
                chains += chain("ports_\(direction.rawValue)_\(profile)", ["jump always_\(direction.rawValue)"] + jumps + ["drop"])
            }
        }
        var texts = SecurityRule.Direction.allCases.map { Ruleset.map("port_\($0.rawValue)", "mark : verdict", maps[$0] ?? []) }
        texts.append(Ruleset.map("routed_ingress", "ifname . ipv4_addr : verdict", routedPorts.map { "\($0.key) : goto ports_ingress_\($0.value.profile)" }.sorted()))
        return remotes.sorted { $0.key < $1.key }.map(\.value).joined() + FilterChains.always + chains + texts.joined()
    }

    private func chain(_ name: String, _ lines: [String]) -> String {
        "  chain \(name) {\n" + lines.map { "    \($0)\n" }.joined() + "  }\n"
    }

    /// Returns the addresses of a port in a network that ends on the host. The host routes packets to them, so no
    /// bridge sees these packets and only the address identifies the port. If several ports may send from one address,
    /// the groups of its owner apply, or else those of the first port.
    private func routedClaims(_ port: PortSpec, _ plan: HostPlan) -> [(key: String, isFixed: Bool)] {
        guard let bridge = plan.bridges.first(where: { $0.network == port.network && $0.isRouted }) else { return [] }
        let pairs = port.allowedPairs.map(\.prefix).filter { $0.length == 32 }.map { ($0.first, false) }
        return (port.fixedIPs.map { ($0.address, true) } + pairs).filter { $0.0.version == .v4 }
            .map { ("\(Ruleset.quoted(bridge.name)) . \($0.0)", $0.1) }
    }

    /// Returns the chain that gives packets which leave a network that ends on the host the host's own address. Bridged
    /// packets pass through this chain unchanged.
    private static func masquerade(_ routed: [BridgePlan], _ bridges: String) -> String {
        guard !routed.isEmpty else { return "" }
        var text = bridges + "  chain outgoing {\n    type nat hook postrouting priority srcnat; policy accept;\n    oifname @bridges accept\n"
        for prefix in Set(routed.flatMap(\.addresses).map(\.prefix)).sorted() where prefix.version == .v4 {
            text += "    ip saddr \(prefix) masquerade\n"
        }
        return text + "  }\n"
    }
}

/// The sets that rules with a remote group use.
private struct RemoteSets {
    let book: RuleBook

    init(_ book: RuleBook) { self.book = book }

    /// Returns the set for a rule; nil if the rule names no group, or one that does not exist.
    func set(for rule: SecurityRule) -> (name: String, text: String)? {
        let kind: String
        switch rule.remote {
        case .anybody, .prefix: return nil
        case .group(let id): kind = "group_" + Names.short(id)
        case .addressGroup(let id): kind = "addresses_" + Names.short(id)
        }
        guard let prefixes = book.prefixes(of: rule.remote)?.filter({ $0.version == rule.version }) else { return nil }
        let name = "remote\(rule.version.rawValue)_\(kind)"
        let isExact = prefixes.allSatisfy { $0.length == rule.version.bits }
        let elements = isExact ? Set(prefixes).sorted().map { $0.first.description } : Ruleset.merged(prefixes)
        return (name, Ruleset.set(name, "ipv\(rule.version.rawValue)_addr", elements, isInterval: !isExact))
    }
}
