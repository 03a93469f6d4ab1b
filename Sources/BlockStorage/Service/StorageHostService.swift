import CloudCore
import HostModel
import SQL

/// The hosts with pools as operators see them: services, pools, capabilities and zones.
struct StorageHostService: Sendable {
    let context: BlockStorageContext
    private let hosts = StorageHostStore()
    private let picker: PoolPicker

    init(context: BlockStorageContext) {
        self.context = context
        picker = PoolPicker(hosts: context.needs.hosts)
    }

    /// The service of one pool's backend, or one of the control plane's.
    struct Entry: Sendable {
        var binary: String
        var host: String
        var zone: String
        var isUp: Bool
        var lastSeen: Timestamp
        var decision: StorageHost?
        /// Whether the service keeps bytes.
        var hasPool: Bool

        var isDisabled: Bool { decision?.isDisabled == true }
    }

    static let volumeBinary = "cinder-volume"

    func services() async throws -> [Entry] {
        await context.needs.hosts.refresh()
        let now = context.world.now
        let scheduler = Entry(
            binary: "cinder-scheduler", host: "novella", zone: VolumeCreation.usualZone, isUp: true, lastSeen: now,
            hasPool: false)
        var backups = scheduler
        backups.binary = "cinder-backup"
        let decided = try await context.read { tx in try hosts.list(in: tx) }
        return [scheduler, backups]
            + context.needs.hosts.pools().map { report in
                Entry(
                    binary: Self.volumeBinary, host: "\(report.host)@\(report.pool.name)", zone: report.zone,
                    isUp: report.isUp, lastSeen: report.lastSeen, decision: decided[report.host], hasPool: true)
            }
    }

    /// Returns the services that are enabled.
    ///
    /// - Parameter zone: the zone; nil or empty for all.
    func enabled(in zone: String?) async throws -> [Entry] {
        try await services().filter { service in
            service.decision?.isDisabled != true && (zone.map { $0.isEmpty || service.zone == $0 } ?? true)
        }
    }

    /// - Throws: `notFound` unless it is the host of a service that is enabled.
    func requireEnabled(_ host: String) async throws {
        guard try await enabled(in: nil).contains(where: { $0.host == host }) else {
            throw CloudError.notFound("Host \(host) could not be found.")
        }
    }

    /// Returns what is in the pool of a service: all together, then by project.
    func usage(of host: String) async throws -> [PoolUsage] {
        try await requireEnabled(host)
        guard let name = PoolName(host) else {
            throw CloudError.notFound("Service cinder-volume could not be found on host \(host).")
        }
        let projects = try await context.readLong { tx in
            try hosts.usage(in: name.text, most: Limits.list.page.most, tx: tx)
        }
        let total = projects.reduce(into: PoolUsage()) { total, project in
            total.volumes += project.volumes
            total.volumeGiB += project.volumeGiB
            total.snapshots += project.snapshots
            total.snapshotGiB += project.snapshotGiB
        }
        return [total] + projects
    }

    func pools() async throws -> [PoolState] {
        await context.needs.hosts.refresh()
        return try await context.read { tx in try picker.states(in: tx) }
    }

    /// Returns the pools of a host or of one backend of it: `host` or `host@backend`.
    ///
    /// - Throws: `notFound` if there is none.
    func pools(of name: String) async throws -> [PoolState] {
        let found = try await pools().filter { pool in
            name == pool.name.host || name == "\(pool.name.host)@\(pool.name.pool)" || name == pool.name.text
        }
        guard !found.isEmpty else { throw CloudError.notFound("Can't find service: \(name)") }
        return found
    }

    func zones() async throws -> [(name: String, isAvailable: Bool)] {
        await context.needs.hosts.refresh()
        var zones = [VolumeCreation.usualZone: true]
        let decided = try await context.read { tx in try hosts.list(in: tx) }
        for report in context.needs.hosts.pools() where report.zone != VolumeCreation.usualZone {
            let isOpen = report.isUp && decided[report.host]?.isDisabled != true
            zones[report.zone] = zones[report.zone] ?? false || isOpen
        }
        return zones.sorted { $0.key < $1.key }.map { (name: $0.key, isAvailable: $0.value) }
    }

    /// Changes the decisions about a host.
    ///
    /// - Parameter name: the host, or one of its backends: the decision is about the whole host.
    /// - Throws: `notFound` for a host without pools.
    func change(_ name: String, _ body: @escaping @Sendable (inout StorageHost) throws -> Void) async throws {
        await context.needs.hosts.refresh()
        let host = String(name.split(separator: "@").first ?? "")
        guard context.needs.hosts.pools().contains(where: { $0.host == host }) else {
            throw CloudError.notFound("Service \(Self.volumeBinary) could not be found on host \(name).")
        }
        let now = context.world.now
        try await context.write { tx in
            var decision = try hosts.find(host, in: tx) ?? StorageHost(name: host)
            try body(&decision)
            decision.updatedAt = now
            try hosts.put(decision, in: tx)
        }
    }

    /// Refuses to go over to another site. No pool is replicated.
    ///
    /// - Throws: `badRequest` in the reference's words.
    func refuseFailover(of target: HostOrCluster) async throws {
        let found = try await services().filter { service in
            guard case .host(let name) = target, service.hasPool else { return false }
            return service.host == name || service.host.hasPrefix(name + "@")
        }
        guard !found.isEmpty else {
            throw VolumeRefusal.input("No service found with \(target.word.lowercased())=\(target.name)")
        }
        let names = found.map { "'\($0.host)'" }.joined(separator: ", ")
        throw VolumeRefusal.input(
            "replication_status in [\(names)] must be ['enabled', 'failed-over'] and must be up to failover.")
    }
}
