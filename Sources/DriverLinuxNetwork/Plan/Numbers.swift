import CloudCore

/// The numbers by which the kernel knows ports and networks: packet marks and zones of connection tracking. A port or
/// network keeps its number while it is on the host, because established flows depend on it. The numbers are therefore
/// remembered across restarts.
struct Numbers: Hashable, Sendable, Codable {
    /// The numbers of ports by their ids, from 1.
    var ports: [String: Int] = [:]
    /// The numbers of networks by their ids, from 1. The kernel's zones have 16 bits.
    var zones: [String: Int] = [:]

    /// Returns the numbers for a state. A number that was in use until now is not given to something else in the same
    /// step, because a packet on its way would be attributed to the wrong port.
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

/// The ids of the networks, routers and ports on the host.
struct HostNetworkIDs: Hashable, Sendable, Codable {
    var networks: [String] = []
    var routers: [String] = []
    var ports: [String] = []
}
