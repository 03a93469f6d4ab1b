import CloudCore

/// What the kernel calls ports and networks: a packet's mark, and a zone of connection tracking. A port or network keeps its number
/// while it is on the host, for an established flow is known by it; so they are remembered across restarts.
struct Numbers: Hashable, Sendable, Codable {
    /// By the port's id, from 1.
    var ports: [String: Int] = [:]
    /// By the network's id, from 1 to 65535.
    var zones: [String: Int] = [:]

    /// The numbers for a state. One that was in use until now is not given to something else in the same step: a packet under way
    /// would be taken for another's.
    func following(_ state: HostNetworkIDs) -> Numbers {
        Numbers(ports: Self.assign(state.ports, ports), zones: Self.assign(state.networks, zones))
    }

    private static func assign(_ wanted: [String], _ old: [String: Int]) -> [String: Int] {
        let taken = Set(old.values)
        var next = 1
        var numbers: [String: Int] = [:]
        for id in wanted.sorted() where numbers[id] == nil {
            if let kept = old[id] {
                numbers[id] = kept
                continue
            }
            while taken.contains(next) { next += 1 }
            numbers[id] = next
            next += 1
        }
        return numbers
    }
}

/// The ids of what is on the host.
struct HostNetworkIDs: Hashable, Sendable, Codable {
    var networks: [String] = []
    var routers: [String] = []
    var ports: [String] = []
}
