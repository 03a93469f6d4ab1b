import CloudCore
import Drivers
import Foundation
import HostModel
import Programs

/// The work of making a host as a plan says, from any present state. It is deliberately simple: it compares, and writes
/// the differences.
///
/// The order matters. Unwanted things are removed first, then come the bridges, then the packet filter, and only then
/// do guests get into their networks, so that no frame of a guest passes without its rules.
struct Converger {
    let names: Names
    let folder: String
    let host: Namespace
    /// A function that returns the plan without the rules that the kernel refuses.
    let compile: (_ refused: Set<String>) -> HostPlan
    let state: HostNetworkState

    var plan = HostPlan()
    var memory: HostMemory
    var changes: [String] = []
    var cutFlows = 0
    var problems: [NetworkProblem] = []
    private var found: [String: ObservedLinks.Link] = [:]
    private var announcements: [Announcement] = []
    /// The namespaces in which something was made anew.
    private var made: Set<String> = []
    /// Whether this pass inspects everything: the state equals the last one, or too many passes in a row had another
    /// one.
    private let looksAtAll: Bool
    private static let mostPartialLooks = 20
    private var servers: DHCPServers
    /// The most connections of a guest (`FlowLimit`).
    var mostFlows = Limits.thing.flows.most

    init(
        names: Names, folder: String, host: Namespace, memory: HostMemory, state: HostNetworkState,
        compile: @escaping (_ refused: Set<String>) -> HostPlan
    ) {
        self.names = names
        self.folder = folder
        self.host = host
        self.memory = memory
        self.state = state
        self.compile = compile
        let digest = Self.digest(state)
        looksAtAll = digest.isEmpty || memory.state == digest || memory.partialLooks >= Self.mostPartialLooks
        self.memory.state = digest
        self.memory.partialLooks = looksAtAll ? 0 : memory.partialLooks + 1
        servers = DHCPServers(folder: folder)
    }

    mutating func run() throws(CloudError) {
        plan = compile([])
        if try host.set(Self.settings(state)) { changes.append("settings") }
        found = try ObservedLinks(in: host).links
        try removeStale()
        try makeBridges()
        try addressBridges()
        try filter()
        try limitFlows()
        try makeLinks()
        for namespace in plan.namespaces where !isKnownGood(namespace) {
            let digest = Self.digest(namespace)
            memory.namespaces[namespace.name] = nil
            let before = problems.count
            do throws(CloudError) { try converge(namespace) } catch {
                problems.append(NetworkProblem(namespace.subject, namespace.id, error.detail ?? error.message))
            }
            if problems.count == before { memory.namespaces[namespace.name] = digest }
        }
        memory.namespaces = memory.namespaces.filter { name, _ in plan.namespaces.contains { $0.name == name } }
        try restoreSettings(but: Self.settings(state))
        try Announcement.send(announcements, of: host)
        problems += plan.problems
        problems = Set(problems).sorted()
    }

    /// Returns whether a namespace need not be inspected: the state differs from the last one, but not in this
    /// namespace. A pass with an unchanged state inspects everything, and so finds what others have changed on the
    /// host.
    private func isKnownGood(_ namespace: NamespacePlan) -> Bool {
        !looksAtAll && !made.contains(namespace.name) && memory.namespaces[namespace.name] == Self.digest(namespace)
            && (namespace.dhcp == nil || servers.names.contains(namespace.name))
    }

    /// Returns the digest of a state without its generation; an empty one, which equals no other, if the state cannot
    /// be encoded.
    private static func digest(_ state: HostNetworkState) -> String {
        var state = state
        state.generation = 0
        let encoder = JSONEncoder()  // tidy: allow JSONEncoder, only for a digest
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(state)).map { PacketFilter.digest(String(decoding: $0, as: UTF8.self)) } ?? ""
    }

    private static func digest(_ plan: NamespacePlan) -> String { PacketFilter.digest("\(plan)") }

    /// Returns the settings below `/proc/sys/net` that a state needs.
    static func settings(_ state: HostNetworkState) -> [(path: String, value: String)] {
        var wanted = ["bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"]
        let isRouted = state.networks.contains { if case .routed = $0.segment { true } else { false } }
        if isRouted { wanted.append("ipv4/ip_forward") }
        return wanted.map { ($0, "1") }
    }

    /// Restores the settings that the driver no longer needs to their former values.
    private mutating func restoreSettings(but wanted: [(path: String, value: String)]) throws(CloudError) {
        let former = memory.settings.filter { setting in !wanted.contains { $0.path == setting.key } }
        guard !former.isEmpty else { return }
        if try host.set(former.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }) { changes.append("settings as they were") }
        for path in former.keys { memory.settings[path] = nil }
    }

    /// Removes everything of the driver, so that only what was there before the first plan is left.
    mutating func removeAll() throws(CloudError) {
        found = try ObservedLinks(in: host).links
        try removeStale()
        try PacketFilter(namespace: host, table: names.table, families: FilterCompiler.families).remove()
        let limit = FlowLimit(names: names, most: mostFlows)
        try PacketFilter(namespace: host, table: limit.table, families: FlowLimit.families).remove()
        cutFlows += try FlowCutter(namespace: host).cut(FlowJudge(state, zones: [:], retired: memory.retiredZones).isForbidden)
        try restoreSettings(but: [])
    }

    private mutating func run(_ batch: Batch, in namespace: Namespace, _ subject: NetworkProblem.Subject = .host, _ id: String = "") throws(CloudError) {
        guard !batch.lines.isEmpty else { return }
        changes += batch.lines.map { id.isEmpty ? $0 : "\(subject.rawValue) \(id): \($0)" }
        problems += try batch.run(in: namespace).map { NetworkProblem(subject, id, $0) }
    }

    // MARK: - The host's own namespace

    private mutating func removeStale() throws(CloudError) {
        let spaces = Set(plan.namespaces.map(\.name))
        let outers = Set(plan.namespaces.flatMap(\.links).map(\.outer))
        let own = Set(plan.bridges.filter(\.isOwn).map(\.name))
        let tunnels = Set(plan.bridges.compactMap(\.tunnel?.name))
        let taps = Set(plan.taps.map(\.name))
        let served = Set(plan.namespaces.filter { $0.dhcp != nil }.map(\.name))
        for name in servers.names where !served.contains(name) {
            servers.remove(name)
            changes.append("\(name): dnsmasq ended")
        }
        var batch = Batch()
        let formerTaps = Set(memory.taps.values)
        for (name, link) in found.sorted(by: { $0.key < $1.key }) where !taps.contains(name) {
            if names.isOwn(link: name) {
                guard !own.contains(name), !outers.contains(name), !tunnels.contains(name) else { continue }
                batch.add("link delete dev \(name)")
            } else if let master = link.master, names.isOwn(link: master) || formerTaps.contains(name) {
                // Any other device in one of our networks would be a guest without rules.
                batch.add(link.kind == "tun" ? "link delete dev \(name)" : "link set dev \(name) nomaster")
            }
        }
        for name in Namespace.all where names.isOwn(namespace: name) && !spaces.contains(name) {
            batch.add("netns delete \(name)")
            memory.filters[name] = nil
        }
        guard !batch.lines.isEmpty else { return }
        try run(batch, in: host)
        found = try ObservedLinks(in: host).links
    }

    private mutating func makeBridges() throws(CloudError) {
        var batch = Batch()
        for bridge in plan.bridges {
            guard bridge.isOwn else {
                if found[bridge.name]?.kind != "bridge" {
                    problems.append(NetworkProblem(.network, bridge.network, "there is no bridge \(bridge.name)"))
                }
                continue
            }
            let link = found[bridge.name]
            if link == nil { batch.add("link add name \(bridge.name) type bridge stp_state 0 forward_delay 0 mcast_snooping 0") }
            // The bridge has no address, not even of IPv6: guests must not reach the host through it.
            if link?.inet6_addr_gen_mode != "none" { batch.add("link set dev \(bridge.name) addrgenmode none") }
            if link?.mtu != bridge.mtu { batch.add("link set dev \(bridge.name) mtu \(bridge.mtu)") }
            if link?.isUp != true { batch.add("link set dev \(bridge.name) up") }
        }
        try run(batch, in: host)
    }

    /// Sets the addresses of bridges. Only a bridge by which the host itself is in the network has any; a bridge that
    /// no longer has this role loses them.
    private mutating func addressBridges() throws(CloudError) {
        let own = plan.bridges.filter(\.isOwn)
        guard !memory.routedBridges.isEmpty || own.contains(where: \.isRouted) else { return }
        let there = try ObservedLinks(in: host, hasAddresses: true).links
        var batch = Batch()
        for bridge in own where bridge.isRouted || memory.routedBridges.contains(bridge.name) {
            readdress(bridge.name, bridge.addresses, there[bridge.name], &batch)
        }
        try run(batch, in: host)
        memory.routedBridges = Set(own.filter(\.isRouted).map(\.name))
    }

    /// Brings the addresses of a device to the wanted ones.
    ///
    /// - Returns: the addresses that are new.
    @discardableResult
    private func readdress(_ device: String, _ addresses: [InterfaceAddress], _ link: ObservedLinks.Link?, _ batch: inout Batch) -> [String] {
        let wanted = Set(addresses.map(\.text))
        let there = Set((link?.addr_info ?? []).filter { !$0.isOfTheKernel }.compactMap(\.text))
        for address in there.subtracting(wanted).sorted() { batch.add("address delete \(address) dev \(device)") }
        let new = wanted.subtracting(there).sorted()
        // The control plane keeps addresses unique, so nobody need wait for duplicate address detection.
        for address in new { batch.add("address add \(address) dev \(device)" + (address.contains(":") ? " nodad" : "")) }
        return new
    }

    private mutating func filter() throws(CloudError) {
        let filter = PacketFilter(namespace: host, table: names.table, families: FilterCompiler.families)
        if try filter.isAsWritten(plan.filter, memory.filters[""]), memory.retiredZones.isEmpty { return }
        let applied: HostMemory.Applied
        do throws(CloudError) { applied = try filter.replace(by: plan.filter) } catch {
            let refused = try refusedRules(filter)
            guard !refused.isEmpty else { throw error }
            plan = compile(refused)
            applied = try filter.replace(by: plan.filter)
        }
        changes.append("packet filter")
        let judge = FlowJudge(state, zones: plan.zones, retired: memory.retiredZones)
        cutFlows += try FlowCutter(namespace: host).cut(judge.isForbidden)
        memory.retiredZones = []
        memory.filters[""] = applied
    }

    /// Limits the connections of guests. The table is left alone while it is there: its counts would be lost.
    private mutating func limitFlows() throws(CloudError) {
        let limit = FlowLimit(names: names, most: mostFlows)
        let isWritten = memory.filters[limit.table]?.written == PacketFilter.digest(limit.text)
        if isWritten, !looksAtAll { return }
        let look = try ChildProcess.run("nft", ["list", "chain", "inet", limit.table, "received"], in: host)
        if isWritten, look.status == 0 { return }
        let filter = PacketFilter(namespace: host, table: limit.table, families: FlowLimit.families)
        do throws(CloudError) {
            memory.filters[limit.table] = try filter.replace(by: limit.text)
            changes.append("limit of connections")
        } catch {
            let reason = error.detail ?? error.message
            problems.append(NetworkProblem(.host, "", "the connections of guests are not limited: \(reason)"))
        }
    }

    /// Returns the rules without which the kernel accepts the filter. They are found by bisection; each try is a dry
    /// run.
    private func refusedRules(_ filter: PacketFilter) throws(CloudError) -> Set<String> {
        let all = Set(state.groups.flatMap(\.rules).map(\.id))
        guard try filter.check(compile(all).filter) else { return [] }
        var refused: Set<String> = []
        var suspects = [all.sorted()]
        while let some = suspects.popLast() {
            // The filter of this try contains only these rules.
            if try filter.check(compile(all.subtracting(some)).filter) { continue }
            guard some.count > 1 else {
                refused.formUnion(some)
                continue
            }
            suspects += [Array(some[..<(some.count / 2)]), Array(some[(some.count / 2)...])]
        }
        return refused
    }

    private mutating func makeLinks() throws(CloudError) {
        var batch = Batch()
        let bridges = Set(plan.bridges.filter { $0.isOwn || found[$0.name]?.kind == "bridge" }.map(\.name))
        for tap in plan.taps where bridges.contains(tap.bridge) {
            if found[tap.name] == nil { batch.add("tuntap add dev \(tap.name) mode tap") }
            place(tap.name, in: tap.bridge, tap.mtu, isUp: tap.isUp, &batch)
        }
        for bridge in plan.bridges {
            guard let tunnel = bridge.tunnel else { continue }
            if found[tunnel.name] == nil {
                batch.add("link add name \(tunnel.name) type vxlan id \(tunnel.number) dstport 4789 local \(tunnel.local) nolearning")
            }
            place(tunnel.name, in: bridge.name, bridge.mtu, isUp: true, &batch)
        }
        let spaces = Set(Namespace.all)
        for namespace in plan.namespaces {
            if !spaces.contains(namespace.name) {
                batch.add("netns add \(namespace.name)")
                memory.filters[namespace.name] = nil
                made.insert(namespace.name)
            }
            for link in namespace.links where bridges.contains(link.bridge) {
                if found[link.outer] != nil, !spaces.contains(namespace.name) {
                    batch.add("link delete dev \(link.outer)")
                    found[link.outer] = nil
                }
                if found[link.outer] == nil {
                    made.insert(namespace.name)
                    batch.add("link add name \(link.outer) type veth peer name \(link.inner) address \(link.mac) netns \(namespace.name)")
                }
                place(link.outer, in: link.bridge, link.mtu, isUp: true, &batch)
            }
        }
        try run(batch, in: host)
        for bridge in plan.bridges { if let tunnel = bridge.tunnel { try forward(tunnel, bridge.network) } }
    }

    /// Puts a device of the host into its bridge, without an address of its own.
    private func place(_ name: String, in bridge: String, _ mtu: Int, isUp: Bool, _ batch: inout Batch) {
        let link = found[name]
        if link?.inet6_addr_gen_mode != "none" { batch.add("link set dev \(name) addrgenmode none") }
        if link?.mtu != mtu { batch.add("link set dev \(name) mtu \(mtu)") }
        if link?.master != bridge { batch.add("link set dev \(name) master \(bridge)") }
        if link == nil ? isUp : link?.isUp != isUp { batch.add("link set dev \(name) \(isUp ? "up" : "down")") }
    }

    private mutating func forward(_ tunnel: TunnelPlan, _ network: String) throws(CloudError) {
        let there = try ObservedLinks.forwarding(tunnel.name, in: host)
        let wanted = Set(tunnel.forwarding)
        guard there != wanted else { return }
        changes.append("\(tunnel.name): forwarding")
        let lines = there.subtracting(wanted).sorted().map { "fdb del \($0.mac) dev \(tunnel.name) dst \($0.host)" }
            + wanted.subtracting(there).sorted().map { "fdb append \($0.mac) dev \(tunnel.name) dst \($0.host)" }
        let outcome = try ChildProcess.run("bridge", ["-force", "-batch", "-"], input: lines.joined(separator: "\n") + "\n", in: host)
        if outcome.status != 0 { problems.append(NetworkProblem(.network, network, outcome.complaint)) }
    }

    // MARK: - Namespaces

    private mutating func converge(_ plan: NamespacePlan) throws(CloudError) {
        let namespace = try Namespace(plan.name)
        let there = try ObservedLinks(in: namespace, hasAddresses: true).links
        if try namespace.set(settings(plan, there)) { changes.append("\(plan.name): settings") }
        // This comes before the addresses, so that no packet leaves untranslated.
        try translate(plan, namespace)
        try run(links(plan, there), in: namespace, plan.subject, plan.id)
        if plan.isRouter { try run(routes(plan, try ObservedLinks.routes(in: namespace)), in: namespace, plan.subject, plan.id) }
        if let dhcp = plan.dhcp, try servers.ensure(dhcp, named: plan.name, in: namespace) { changes.append("\(plan.name): dnsmasq") }
    }

    private func settings(_ plan: NamespacePlan, _ there: [String: ObservedLinks.Link]) -> [(path: String, value: String)] {
        // Otherwise a router's advertisement would give the service addresses that nobody wants there.
        guard plan.isRouter else { return plan.links.filter { there[$0.inner] != nil }.map { ("ipv6/conf/\($0.inner)/accept_ra", "0") } }
        return ["ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/all/arp_ignore"].map { ($0, "1") }
            + [("ipv4/conf/all/arp_announce", "2"), ("ipv4/conf/all/accept_redirects", "0")]
    }

    private mutating func links(_ plan: NamespacePlan, _ there: [String: ObservedLinks.Link]) -> Batch {
        var batch = Batch()
        if there["lo"]?.isUp != true { batch.add("link set dev lo up") }
        readdress("lo", plan.loopback, there["lo"], &batch)
        for link in plan.links {
            let inner = there[link.inner]
            if inner?.address != link.mac.description { batch.add("link set dev \(link.inner) address \(link.mac)") }
            if inner?.mtu != link.mtu { batch.add("link set dev \(link.inner) mtu \(link.mtu)") }
            let new = Set(readdress(link.inner, link.addresses, inner, &batch))
            announcements += link.addresses.filter { new.contains($0.text) && !$0.address.isLinkLocal }
                .map { Announcement(namespace: plan.name, link: link, address: $0.address, isRouter: plan.isRouter) }
            if inner?.isUp != true { batch.add("link set dev \(link.inner) up") }
        }
        return batch
    }

    private func routes(_ plan: NamespacePlan, _ there: Set<RoutePlan>) -> Batch {
        var batch = Batch()
        let wanted = Set(plan.routes)
        func text(_ route: RoutePlan) -> String { "\(route.destination) via \(route.nextHop)" }
        for route in there.subtracting(wanted) { batch.add("route delete \(text(route))") }
        for route in plan.routes where !there.contains(route) { batch.add("route replace \(text(route))") }
        return batch
    }

    private mutating func translate(_ plan: NamespacePlan, _ namespace: Namespace) throws(CloudError) {
        let filter = PacketFilter(namespace: namespace, table: names.table, families: TranslationCompiler.families)
        let applied = memory.filters[plan.name]
        if plan.translation.isEmpty {
            guard applied != nil else { return }
            try filter.remove()
            memory.filters[plan.name] = nil
        } else {
            if try filter.isAsWritten(plan.translation, applied) { return }
            memory.filters[plan.name] = try filter.replace(by: plan.translation)
        }
        changes.append("\(plan.name): translation")
        guard let router = state.routers.first(where: { $0.id == plan.id }) else { return }
        cutFlows += try FlowCutter(namespace: namespace).cut { FlowJudge.isForbidden($0, by: router) }
    }
}
