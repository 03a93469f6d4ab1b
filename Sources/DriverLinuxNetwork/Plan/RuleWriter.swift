import CloudCore
import HostModel

/// A writer of security group rules in the language of nftables.
struct RuleWriter: Sendable {
    /// Texts by the ids of rules that they replace. Tests use them to make rules that the kernel refuses.
    var overrides: [String: String] = [:]

    /// Returns the text of a rule; nil if the rule allows nobody. `remoteSet` is the name of the set with the addresses
    /// of the rule's remote group.
    func text(_ rule: SecurityRule, remoteSet: String?) -> String? {
        if let text = overrides[rule.id] { return text }
        let isVersion4 = rule.version == .v4
        var parts = [isVersion4 ? "meta nfproto ipv4" : "meta nfproto ipv6"]
        let peer = (isVersion4 ? "ip " : "ip6 ") + (rule.direction == .ingress ? "saddr" : "daddr")
        switch rule.remote {
        case .anybody: break
        case .prefix(let prefix): if prefix.length > 0 { parts.append("\(peer) \(prefix)") }
        case .group, .addressGroup:
            guard let remoteSet else { return nil }
            parts.append("\(peer) @\(remoteSet)")
        }
        if let proto = rule.proto { parts.append("meta l4proto \(proto)") }
        if let ports = rule.ports { parts.append(ports.first == ports.last ? "th dport \(ports.first)" : "th dport \(ports.first)-\(ports.last)") }
        if let type = rule.icmpType {
            let word = isVersion4 ? "icmp" : "icmpv6"
            parts.append("\(word) type \(type)")
            if let code = rule.icmpCode { parts.append("\(word) code \(code)") }
        }
        return parts.joined(separator: " ") + " accept"
    }
}
