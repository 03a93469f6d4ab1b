import CloudCore
import Drivers
import HostModel

/// A compiler for a router's address translation (floating IPs, and the gateway's address for all other guests) and for
/// the packets that the router drops.
struct TranslationCompiler: Sendable {
    let names: Names

    /// Returns the usable floating IPs; each external address stands for one fixed address. A fixed address with two
    /// floating IPs receives packets to both and sends from the lower one.
    static func usable(_ router: RouterSpec, _ plan: inout HostPlan) -> [FloatingIP] {
        var seen: Set<IPAddress> = []
        var kept: [FloatingIP] = []
        for floating in router.floatingIPs.sorted(by: { ($0.external, $0.id) < ($1.external, $1.id) }) {
            guard floating.external.version == .v4, floating.fixed.version == .v4, seen.insert(floating.external).inserted else {
                plan.problems.append(NetworkProblem(.floatingIP, floating.id, "its address is another's, or of IPv6"))
                continue
            }
            kept.append(floating)
        }
        return kept
    }

    static let families = ["ip", "ip6"]

    /// Returns the filter of a router. Its tables are made anew in one transaction: `add` comes first, so that `delete`
    /// always finds a table.
    ///
    /// - Parameter external: the device in the external network; nil if the router has no gateway.
    func compile(_ router: RouterSpec, _ floating: [FloatingIP], external: String?) -> String {
        var text = Self.families.map { "add table \($0) \(names.table)\ndelete table \($0) \(names.table)\n" }.joined()
        text += "table ip \(names.table) {\n"
        if let external { text += translation(router, floating, external) }
        // A host outside that answers at the address of the metadata service could tell guests what to run.
        text += """
              chain forward {
                type filter hook forward priority filter; policy accept;
                ip daddr 169.254.0.0/16 drop
              }
            }
            table ip6 \(names.table) {
              chain input {
                type filter hook input priority filter; policy accept;
                udp dport 547 drop
              }
            }

            """
        return text
    }

    private func translation(_ router: RouterSpec, _ floating: [FloatingIP], _ external: String) -> String {
        var sources: [IPAddress: IPAddress] = [:]
        for each in floating where sources[each.fixed] == nil { sources[each.fixed] = each.external }
        let dnat = floating.map { "\($0.external) : \($0.fixed)" }
        let snat = sources.sorted { $0.key < $1.key }.map { "\($0.key) : \($0.value)" }
        let own = router.gateway?.interface.addresses.first { $0.address.version == .v4 }?.address
        var text = Ruleset.map("to_fixed", "ipv4_addr : ipv4_addr", dnat)
        text += Ruleset.map("to_floating", "ipv4_addr : ipv4_addr", snat)
        text += """
              chain incoming {
                type nat hook prerouting priority dstnat; policy accept;
                dnat to ip daddr map @to_fixed
              }
              chain local {
                type nat hook output priority -100; policy accept;
                dnat to ip daddr map @to_fixed
              }
              chain outgoing {
                type nat hook postrouting priority srcnat; policy accept;
                iifname "\(external)" oifname != "\(external)" accept
                iifname != "\(external)" oifname != "\(external)" ct status & dnat == 0 accept
                snat to ip saddr map @to_floating

            """
        // A guest's flow to a floating IP comes back through this router only if its source is the router's own
        // address. Such a flow is therefore translated even if SNAT is off.
        if let own { text += router.gateway?.hasSNAT == true ? "    snat to \(own)\n" : "    ct status & dnat != 0 snat to \(own)\n" }
        return text + "  }\n"
    }
}

/// Functions that write parts of an nftables ruleset.
enum Ruleset {
    static func set(_ name: String, _ type: String, _ elements: [String], isInterval: Bool = false) -> String {
        block("set \(name)", type, elements, isInterval)
    }

    static func map(_ name: String, _ type: String, _ elements: [String]) -> String { block("map \(name)", type, elements, false) }

    private static func block(_ head: String, _ type: String, _ elements: [String], _ isInterval: Bool) -> String {
        let type = type.hasPrefix("typeof") ? type : "type \(type)"
        var text = "  \(head) { \(type);"
        if isInterval { text += " flags interval;" }
        if !elements.isEmpty { text += " elements = { \(elements.joined(separator: ", ")) };" }
        return text + " }\n"
    }

    static func quoted(_ device: String) -> String { "\"\(device)\"" }

    /// Returns prefixes as ranges that neither overlap nor touch. The kernel refuses sets with other ranges.
    static func merged(_ prefixes: [IPPrefix]) -> [String] {
        var ranges: [(first: IPAddress, last: IPAddress)] = []
        for prefix in prefixes.sorted() {
            if let end = ranges.last?.last, prefix.first <= end || prefix.first.value == end.value &+ 1, prefix.version == end.version {
                ranges[ranges.count - 1].last = max(end, prefix.last)
            } else {
                ranges.append((prefix.first, prefix.last))
            }
        }
        return ranges.map { $0.first == $0.last ? $0.first.description : "\($0.first)-\($0.last)" }
    }
}
