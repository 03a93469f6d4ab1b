import CloudCore
import HostModel

/// Writes one rule of a security group in the packet filter's language.
struct RuleWriter: Sendable {
    /// What a test puts in the place of a rule's text, to have one that the kernel refuses.
    var overrides: [String: String] = [:]

    /// Nil when the rule allows nobody. `remoteSet` is the name of the set that holds the members of its remote group.
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
