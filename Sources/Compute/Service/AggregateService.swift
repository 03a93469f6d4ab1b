import CloudCore
import SQL

/// The host aggregates and the availability zones that they define.
struct AggregateService: Sendable {
    let context: ComputeContext
    let hosts: HostService
    private let aggregates = AggregateStore()

    private func require(_ number: Int, in tx: Transaction) throws -> Aggregate {
        guard let aggregate = try aggregates.find(number, in: tx) else {
            throw CloudError.notFound("Aggregate \(number) could not be found.")
        }
        return aggregate
    }

    func get(_ number: Int) async throws -> Aggregate { try await context.read { tx in try require(number, in: tx) } }

    func list() async throws -> [Aggregate] { try await context.read { tx in try aggregates.list(in: tx) } }

    func create(_ name: String, zone: String?) async throws -> Aggregate {
        let id = context.world.random.uuid()
        let now = context.world.now
        return try await context.write { tx in
            try refuse(name, in: tx)
            let aggregate = Aggregate(
                number: try NumberStore.compute.next("aggregate", in: tx), id: ID(id), name: name,
                metadata: zone.map { [Aggregate.zoneKey: $0] } ?? [:], createdAt: now)
            try aggregates.insert(aggregate, in: tx)
            return aggregate
        }
    }

    private func refuse(_ name: String, in tx: Transaction) throws {
        if try aggregates.exists(name: name, in: tx) { throw CloudError.conflict("Aggregate \(name) already exists.") }
    }

    private func change(_ number: Int, _ body: @escaping @Sendable (inout Aggregate, Transaction) throws -> Void) async throws -> Aggregate {
        let now = context.world.now
        return try await context.write { tx in
            var aggregate = try require(number, in: tx)
            try body(&aggregate, tx)
            aggregate.updatedAt = now
            try aggregates.update(aggregate, in: tx)
            return try require(number, in: tx)
        }
    }

    /// Changes the name and the zone of an aggregate.
    ///
    /// - Parameter zone: `clear` for no zone.
    /// - Throws: `conflict` if the name is taken; `badRequest` if `move` refuses the zone.
    func update(_ number: Int, name: String?, zone: Update<String>) async throws -> Aggregate {
        try await change(number) { aggregate, tx in
            if let name, name != aggregate.name {
                try refuse(name, in: tx)
                aggregate.name = name
            }
            var wanted = aggregate.zone
            zone.apply(to: &wanted)
            try move(&aggregate, to: wanted, verb: "update", in: tx)
        }
    }

    /// Sets the zone of an aggregate.
    ///
    /// - Throws: `badRequest` if a host would be in two zones, or if a host of the aggregate has servers.
    private func move(_ aggregate: inout Aggregate, to zone: String?, verb: String, in tx: Transaction) throws {
        func refuse(_ why: String) -> CloudError {
            .badRequest("Cannot \(verb) aggregate \(aggregate.number). Reason: \(why).")
        }
        guard zone != aggregate.zone else { return }
        if zone == "" { throw refuse("Aggregate metadata availability_zone is empty") }
        let others = try aggregates.list(in: tx).filter { $0.number != aggregate.number && $0.zone != nil }
        for host in aggregate.hosts {
            if let zone, let other = others.first(where: { $0.hosts.contains(host) && $0.zone != zone }) {
                throw refuse("One or more hosts already in availability zone(s) ['\(other.zone ?? "")']")
            }
            if try !HostStore().servers(on: host, in: tx).isEmpty {
                throw refuse("One or more hosts contain instances in this zone")
            }
        }
        aggregate.metadata[Aggregate.zoneKey] = zone
    }

    /// Changes the metadata of an aggregate.
    ///
    /// - Parameter metadata: the new values; a nil value removes its key.
    func setMetadata(_ metadata: [(key: String, value: String?)], of number: Int) async throws -> Aggregate {
        try await change(number) { aggregate, tx in
            for (key, value) in metadata {
                if key == Aggregate.zoneKey { try move(&aggregate, to: value, verb: "update", in: tx) }
                aggregate.metadata[key] = value
            }
        }
    }

    func delete(_ number: Int) async throws {
        try await context.write { tx in
            guard try require(number, in: tx).hosts.isEmpty else {
                throw CloudError.badRequest("Cannot delete aggregate \(number). Reason: Host aggregate is not empty.")
            }
            try aggregates.delete(number, in: tx)
        }
    }

    func add(_ host: String, to number: Int) async throws -> Aggregate {
        let known = try await context.hosts.overview().isKnown(host)
        return try await change(number) { aggregate, tx in
            guard known else { throw CloudError.notFound("Compute host \(host) could not be found.") }
            if aggregate.hosts.contains(host) { throw CloudError.conflict("Aggregate \(number) already has host \(host).") }
            if let zone = aggregate.zone,
                let other = try aggregates.list(in: tx).first(where: { $0.hosts.contains(host) && $0.zone != nil && $0.zone != zone })
            {
                throw CloudError.conflict(
                    "Cannot add host to aggregate \(number). Reason: Host already in availability zone '\(other.zone ?? "")'.")
            }
            try aggregates.add(host, to: number, in: tx)
        }
    }

    func remove(_ host: String, from number: Int) async throws -> Aggregate {
        try await change(number) { aggregate, tx in
            guard aggregate.hosts.contains(host) else {
                throw CloudError.notFound("Cannot remove host \(host) in aggregate \(number)")
            }
            if aggregate.zone != nil, try !HostStore().servers(on: host, in: tx).isEmpty {
                throw CloudError.conflict(
                    "Cannot remove host from aggregate \(number). Reason: One or more hosts contain instances in this zone.")
            }
            try aggregates.remove(host, from: number, in: tx)
        }
    }
}
