/// A function that returns how suitable a host is; more is better. The values of all hosts are scaled to 0...1, then
/// multiplied by the weigher's factor.
typealias HostWeigher = @Sendable (HostState, PlacementWish) -> Double

enum HostWeighers {
    static let all: [(name: String, factor: Double, weigher: HostWeigher)] = [
        ("memory", 1, freeMemory), ("cpu", 1, freeProcessors), ("disk", 1, freeDisk), ("work", 1, lessWork),
        ("soft affinity", 1, softAffinity), ("soft anti-affinity", 1, softAntiAffinity), ("failed builds", 1_000_000, fewerFailures),
    ]

    static let freeMemory: HostWeigher = { host, _ in Double(host.memoryMiB - host.usage.memoryMiB) }
    static let freeProcessors: HostWeigher = { host, _ in Double(host.vcpus - host.usage.vcpus) }
    static let freeDisk: HostWeigher = { host, _ in Double(host.diskGiB - host.usage.diskGiB) }
    static let lessWork: HostWeigher = { host, _ in -Double(host.busyServers) }
    static let fewerFailures: HostWeigher = { host, _ in -Double(host.failedBuilds) }
    static let softAffinity: HostWeigher = { host, wish in wish.group?.policy == .softAffinity ? Double(host.groupMembers) : 0 }
    static let softAntiAffinity: HostWeigher = { host, wish in wish.group?.policy == .softAntiAffinity ? -Double(host.groupMembers) : 0 }

    /// Returns the hosts, best first. Equally good hosts are in the order of their names, so equal input gives equal
    /// output.
    static func sorted(_ hosts: [HostState], _ wish: PlacementWish) -> [HostState] {
        var weights = [Double](repeating: 0, count: hosts.count)
        for (_, factor, weigher) in all {
            let values = hosts.map { weigher($0, wish) }
            guard let least = values.min(), let most = values.max(), most > least else { continue }
            for (place, value) in values.enumerated() { weights[place] += factor * (value - least) / (most - least) }
        }
        return zip(hosts, weights).sorted { ($0.1, $1.0.name) > ($1.1, $0.0.name) }.map(\.0)
    }
}
