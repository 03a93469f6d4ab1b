import CloudCore
import SQL

/// The hosts: the reports of their agents, the decisions of operators, and the use by their servers.
struct HostService: Sendable {
    let context: ComputeContext
    private let store = HostStore()

    /// Returns all hosts that report, in the order in which Compute first saw them.
    func all() async throws -> [ComputeHost] {
        let reports = try await context.needs.hosts.reports()
        var index = try await context.hosts.latest()
        let new = reports.filter { index.host($0.name)?.entry == nil }
        if !new.isEmpty {
            try await remember(new)
            index = try await context.hosts.latest()
        }
        let hosts = reports.compactMap { report -> ComputeHost? in
            guard let host = index.host(report.name), let entry = host.entry else { return nil }
            return ComputeHost(
                name: entry.name, number: entry.number, serviceID: entry.serviceID, isDisabled: entry.isDisabled,
                disabledReason: entry.disabledReason, isForcedDown: entry.isForcedDown, zone: index.zone(of: entry.name), report: report,
                usage: host.usage)
        }
        return hosts.sorted { $0.number < $1.number }
    }

    /// Stores the hosts that report for the first time. Each gets the ids by which the API shows it.
    private func remember(_ new: [HostReport]) async throws {
        let ids = new.map { _ in context.world.random.uuid() }
        try await context.write { tx in
            let known = Set(try store.list(in: tx).map(\.name))
            for (report, id) in zip(new, ids) where !known.contains(report.name) {
                try store.insert(.init(name: report.name, number: try NumberStore.compute.next("host", in: tx), serviceID: id), in: tx)
            }
        }
    }

    /// The changes that an operator makes to a host; nil leaves a value as it is.
    struct Change: Sendable {
        var isDisabled: Bool?
        /// The reason for disabling the host. It has an effect only together with `isDisabled`.
        var reason: String?
        var isForcedDown: Bool?
    }

    func change(_ name: String, _ change: Change) async throws -> ComputeHost {
        guard var host = try await all().first(where: { $0.name == name }) else {
            throw CloudError.notFound("Host '\(name)' is not mapped to any cell")
        }
        if let isDisabled = change.isDisabled { (host.isDisabled, host.disabledReason) = (isDisabled, isDisabled ? change.reason : nil) }
        if let isForcedDown = change.isForcedDown { host.isForcedDown = isForcedDown }
        let entry = HostStore.Entry(
            name: host.name, number: host.number, serviceID: host.serviceID, isDisabled: host.isDisabled,
            disabledReason: host.disabledReason, isForcedDown: host.isForcedDown)
        try await context.write { tx in try store.update(entry, in: tx) }
        return host
    }

    /// Deletes a host that has no servers and no migrations in progress.
    ///
    /// - Throws: `conflict` if it has any.
    func delete(_ host: ComputeHost) async throws {
        try await context.write { tx in
            guard try store.servers(on: host.name, in: tx).isEmpty else {
                throw CloudError.conflict(
                    "Unable to delete compute service that is hosting instances. Migrate or delete the instances first.")
            }
            guard try !store.isUnderWay(host.name, in: tx) else {
                throw CloudError.conflict(
                    "Unable to delete compute service that has in-progress migrations. Complete the migrations or delete the instances first.")
            }
            try AggregateStore().remove(host.name, in: tx)
            try store.delete(host.name, in: tx)
        }
    }

    func servers(on host: String) async throws -> [(id: String, name: String)] {
        try await context.read { tx in try store.servers(on: host, in: tx) }
    }
}
