import CloudCore
import Drivers
import HostModel
import Programs

/// A connection that the kernel tracks.
struct TrackedFlow: Hashable {
    /// The flow in the direction in which it began.
    var key: FlowKey
    /// The source and the destination of replies.
    var answerSource: IPAddress
    var answerDestination: IPAddress
    /// The zone of connection tracking; 0 for none.
    var zone: Int

    /// Reads a line of `conntrack -L`: `tcp 6 100 ESTABLISHED src=… dst=… sport=… dport=… src=… dst=… … zone=11 …`.
    init?(line: Substring) {
        let words = line.split(separator: " ")
        guard words.count > 4 else { return nil }
        // `-o extended` puts the IP version in front.
        let offset = words[0].hasPrefix("ipv") ? 2 : 0
        guard let proto = UInt8(words[offset + 1]) else { return nil }
        var values: [Substring: [Substring]] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0], default: []].append(parts[1]) }
        }
        guard let sources = values["src"]?.compactMap({ IPAddress($0) }), let destinations = values["dst"]?.compactMap({ IPAddress($0) }),
            sources.count == 2, destinations.count == 2
        else { return nil }
        func number(_ key: Substring) -> UInt16 { values[key]?.first.flatMap { UInt16($0) } ?? 0 }
        let target = values["type"] == nil ? number("dport") : number("type") << 8 | number("code")
        key = FlowKey(sources[0], destinations[0], proto: proto, from: number("sport"), to: target)
        (answerSource, answerDestination) = (sources[1], destinations[1])
        // `-o id` and `zone-orig` are not requested: both directions have one zone here.
        zone = Int(values["zone"]?.first ?? "0") ?? 0
    }

    /// The arguments of `conntrack` that delete only this flow.
    var deletion: String {
        var words = ["-D", "-f", key.source.version == .v4 ? "ipv4" : "ipv6", "-s \(key.source)", "-d \(key.destination)", "-p \(key.proto)"]
        if zone > 0 { words.append("-w \(zone)") }
        if IPProtocol.withPorts.contains(key.proto) { words.append("--sport \(key.sourcePort) --dport \(key.destinationPort)") }
        return words.joined(separator: " ")
    }
}

/// A search for established flows that would not be allowed to begin now, which ends them.
struct FlowCutter {
    let namespace: Namespace

    /// Ends the flows that are forbidden.
    ///
    /// - Returns: the number of flows that were ended.
    func cut(_ isForbidden: (TrackedFlow) -> Bool) throws(CloudError) -> Int {
        var forbidden: [TrackedFlow] = []
        for family in ["ipv4", "ipv6"] {
            let output = try ChildProcess.require("conntrack", ["-L", "-f", family, "-o", "extended"], in: namespace)
            forbidden += String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap { TrackedFlow(line: $0) }.filter(isForbidden)
        }
        guard !forbidden.isEmpty else { return 0 }
        // A flow that has ended by itself meanwhile cannot be deleted, which is not a failure.
        let input = forbidden.map(\.deletion).joined(separator: "\n") + "\n"
        let outcome = try ChildProcess.run("conntrack", ["-R", "-"], input: input, in: namespace)
        if outcome.status == 0 { return forbidden.count }
        // Versions before 1.4.7 read no commands from their input, and some stop at the first flow that is gone.
        for flow in forbidden {
            _ = try ChildProcess.run("conntrack", flow.deletion.split(separator: " ").map(String.init), in: namespace)
        }
        return forbidden.count
    }
}

/// The decision which flows a state forbids.
struct FlowJudge {
    private let book: RuleBook
    private let zones: Set<Int>
    private let retired: Set<Int>
    /// The secured ports by zone and address. Networks without a zone are in zone 0, which is the host's.
    private var owners: [Int: [IPAddress: PortSpec]] = [:]

    init(_ state: HostNetworkState, zones: [String: Int], retired: Set<Int>) {
        book = RuleBook(state)
        self.zones = Set(zones.values + [0])
        self.retired = retired
        for port in state.ports where port.isSecured {
            for fixed in port.fixedIPs { owners[zones[port.network] ?? 0, default: [:]][fixed.address] = port }
        }
    }

    /// Returns whether a flow is forbidden. A flow between addresses that no port here has is left alone: it is judged
    /// on the hosts of those ports.
    func isForbidden(_ flow: TrackedFlow) -> Bool {
        guard zones.contains(flow.zone) else { return retired.contains(flow.zone) }
        if let sender = owners[flow.zone]?[flow.key.source], !book.allows(sender, .egress, flow.key) { return true }
        if let receiver = owners[flow.zone]?[flow.key.destination], !book.allows(receiver, .ingress, flow.key) { return true }
        return false
    }

    /// Returns whether a router forbids a flow: its addresses were translated as no floating IP and no gateway
    /// translates them now.
    static func isForbidden(_ flow: TrackedFlow, by router: RouterSpec) -> Bool {
        let external = flow.key.destination
        if flow.answerSource != external {
            guard router.floatingIPs.contains(where: { $0.external == external && $0.fixed == flow.answerSource }) else { return true }
        }
        guard flow.answerDestination != flow.key.source else { return false }
        let floating = router.floatingIPs.filter { $0.fixed == flow.key.source }.map(\.external).min()
        if let floating { return flow.answerDestination != floating }
        return !(router.gateway?.interface.addresses.contains { $0.address == flow.answerDestination } ?? false)
    }
}
