import CloudCore

/// A function that returns why a host is refused, with the numbers that matter, or nil if the host is suitable.
typealias HostFilter = @Sendable (HostState, PlacementWish) -> String?

/// The filters, in the order in which they are asked. Those that few hosts pass come first.
enum HostFilters {
    static let all: [(name: String, filter: HostFilter)] = [
        ("requested host", requestedHost), ("move", move), ("host state", hostState), ("availability zone", availabilityZone),
        ("aggregate extra specs", aggregateExtraSpecs), ("isolated hosts", isolatedHosts), ("image properties", imageProperties),
        ("capabilities", capabilities), ("same host", sameHost), ("different host", differentHost), ("affinity", affinity),
        ("anti-affinity", antiAffinity),
    ]

    /// The filters that look at the image. They are asked again when a server is rebuilt with another image.
    static let ofImage: [(name: String, filter: HostFilter)] = [("isolated hosts", isolatedHosts), ("image properties", imageProperties)]

    /// Returns the reason of the first filter that refuses the host; nil if none does.
    static func refusal(_ host: HostState, _ wish: PlacementWish, by filters: [(name: String, filter: HostFilter)] = all) -> String? {
        for (name, filter) in filters { if let reason = filter(host, wish) { return "\(name): \(reason)" } }
        return nil
    }

    static let requestedHost: HostFilter = { host, wish in
        guard let wanted = wish.host, wanted != host.name else { return nil }
        return "'\(wanted)' was asked for"
    }

    static let move: HostFilter = { host, wish in
        if wish.unswept.contains(host.name) { return "it may still have the machine from before an evacuation" }
        guard let move = wish.move else { return nil }
        if host.name == move.source { return move.mayStay ? nil : "the server is there already" }
        guard wish.isSourceAble else { return "'\(move.source)' cannot give \(move.isLive ? "running " : "")machines away" }
        return host.isAble ? nil : "it cannot take \(move.isLive ? "running " : "")machines of other hosts"
    }

    static let hostState: HostFilter = { host, _ in
        if host.isDisabled { return "disabled (\(host.disabledReason ?? "no reason given"))" }
        return host.isUp ? nil : "its agent has not reported"
    }

    static let availabilityZone: HostFilter = { host, wish in
        guard let zone = wish.zone, zone != host.zone else { return nil }
        return "it is in '\(host.zone)', not in '\(zone)'"
    }

    private static let aggregateScope = "aggregate_instance_extra_specs:"

    /// Returns what the flavor wants of the metadata of a host's aggregates, in the order of the names.
    static func aggregateSpecs(of wish: PlacementWish) -> [(name: String, wanted: String)] {
        wish.extraSpecs.sorted { $0.key < $1.key }.filter { $0.key.hasPrefix(aggregateScope) }
            .map { (String($0.key.dropFirst(aggregateScope.count)), $0.value) }
    }

    static let aggregateExtraSpecs: HostFilter = { host, wish in
        for (name, wanted) in aggregateSpecs(of: wish) {
            let values = host.aggregateMetadata[name] ?? []
            if !values.contains(where: { SpecMatch.holds($0, wanted) }) {
                return "'\(name)' must be '\(wanted)', its aggregates have \(values.isEmpty ? "none" : values.sorted().joined(separator: ", "))"
            }
        }
        return nil
    }

    /// Refuses images on the hosts of aggregates with the metadata `isolated_image_property`. The value names a
    /// property that an image must have there, with any value.
    static let isolatedHosts: HostFilter = { host, wish in
        guard let allowed = host.aggregateMetadata["isolated_image_property"] else { return nil }
        return allowed.contains { wish.imageProperties[$0] != nil } ? nil : "only images with \(allowed.sorted().joined(separator: ", "))"
    }

    static let imageProperties: HostFilter = { host, wish in
        if let wanted = wish.imageProperties["hw_architecture"] ?? wish.imageProperties["architecture"], wanted != host.architecture {
            return "the image is for \(wanted), the host is \(host.architecture)"
        }
        if let wanted = wish.imageProperties["img_hv_type"] ?? wish.imageProperties["hypervisor_type"],
            wanted.lowercased() != host.hypervisorType.lowercased(), !["qemu", "kvm"].contains(wanted.lowercased())
        {
            return "the image is for \(wanted), the host has \(host.hypervisorType)"
        }
        return nil
    }

    static let capabilities: HostFilter = { host, wish in
        let facts = [
            "hypervisor_type": host.hypervisorType, "vcpus": String(host.vcpus), "memory_mb": String(host.memoryMiB),
            "local_gb": String(host.diskGiB), "host": host.name, "hypervisor_hostname": host.name, "uuid": host.id.text,
            "num_instances": String(host.usage.servers), "cpu_info:arch": host.architecture,
        ]
        for (key, wanted) in wish.extraSpecs.sorted(by: { $0.key < $1.key }) where key.hasPrefix("capabilities:") {
            let name = String(key.dropFirst("capabilities:".count))
            guard let fact = facts[name] else { return "it does not tell '\(name)'" }
            if !SpecMatch.holds(fact, wanted) { return "'\(name)' must be '\(wanted)', it is '\(fact)'" }
        }
        return nil
    }

    static let sameHost: HostFilter = { host, wish in
        guard !wish.sameHost.isEmpty, host.serverIDs.isDisjoint(with: wish.sameHost) else { return nil }
        return "it has none of the \(wish.sameHost.count) servers asked for"
    }

    static let differentHost: HostFilter = { host, wish in
        let there = host.serverIDs.intersection(wish.differentHost)
        return there.isEmpty ? nil : "it has \(there.count) of the servers to keep away from"
    }

    static let affinity: HostFilter = { host, wish in
        guard wish.group?.policy == .affinity, wish.groupHasHosts, host.groupMembers == 0 else { return nil }
        return "the group's servers are on another host"
    }

    static let antiAffinity: HostFilter = { host, wish in
        guard let group = wish.group, group.policy == .antiAffinity else { return nil }
        let most = group.mostPerHost ?? 1
        return host.groupMembers < most ? nil : "it has \(host.groupMembers) of the group's servers, \(most) at most"
    }
}

/// The comparison of a value with an extra spec. The extra spec is plain words, or an operator and words.
enum SpecMatch {
    static func holds(_ value: String, _ wanted: String) -> Bool {
        let words = wanted.split(separator: " ").map(String.init)
        guard let first = words.first else { return value.isEmpty }
        let rest = words.dropFirst().joined(separator: " ")
        func number(_ compare: (Double, Double) -> Bool) -> Bool {
            guard let left = Double(value), let right = Double(rest) else { return false }
            return compare(left, right)
        }
        return switch first {
        case "=", ">=": number(>=)
        case "<=": number(<=)
        case "==": number(==)
        case "!=": number(!=)
        case "s==": value == rest
        case "s!=": value != rest
        case "s<": value < rest
        case "s<=": value <= rest
        case "s>": value > rest
        case "s>=": value >= rest
        case "<in>": value.contains(rest)
        case "<all-in>": words.dropFirst().allSatisfy { value.contains($0) }
        case "<or>": wanted.split(separator: "<or>").contains { $0.trimmed == value }
        default: value == wanted
        }
    }
}
