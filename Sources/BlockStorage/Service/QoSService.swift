import CloudCore
import SQL

/// The QoS specs and the types that have them.
struct QoSService: Sendable {
    let context: BlockStorageContext
    private let specs = QoSStore()
    private let types = VolumeTypeStore()
    private let rules = TypeRules()

    private static let consumers = ["front-end", "back-end", "both"]
    private static let columns: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "consumer": .init("consumer"),
        "created_at": .init("created_at", .time),
    ]

    func get(_ id: ID<QoSSpecs>) async throws -> QoSSpecs {
        try await context.read { tx in try specs.require(id, in: tx) }
    }

    func list(_ query: ListRequest) async throws -> [QoSSpecs] {
        let equal = query.filters.filter { ["id", "name", "consumer"].contains($0.name) }
        let page = try RowPage(query.page, by: query.sort, Self.columns)
        return try await context.read { tx in
            try specs.page(equal.map { (column: $0.name, value: $0.value) }, page, in: tx)
        }
    }

    func create(_ name: String, _ given: JSONObject) async throws -> QoSSpecs {
        var values = given
        let consumer = values["consumer"]?.string ?? "back-end"
        values["consumer"] = nil
        try Self.check(consumer)
        let new = QoSSpecs(
            id: ID(context.world.random.uuid()), name: name, consumer: consumer, specs: values,
            createdAt: context.world.now)
        return try await context.write { tx in
            guard try !specs.exists(name: name, in: tx) else {
                throw CloudError.conflict("QoS Specs \(name) already exists.")
            }
            try specs.insert(new, in: tx)
            return new
        }
    }

    private static func check(_ consumer: String) throws {
        guard consumers.contains(consumer) else {
            throw CloudError.badRequest(
                "Invalid qos specs: Valid consumer of QoS specs are: "
                    + "[\(consumers.map { "'\($0)'" }.joined(separator: ", "))]")
        }
    }

    private func change(_ id: ID<QoSSpecs>, _ body: @escaping @Sendable (inout QoSSpecs) throws -> Void) async throws {
        try await context.write { tx in
            let old = try specs.require(id, in: tx)
            var new = old
            try body(&new)
            new.updatedAt = context.world.now
            try specs.update(old, to: new, in: tx)
        }
    }

    func update(_ id: ID<QoSSpecs>, _ given: JSONObject) async throws {
        try await change(id) { found in
            var values = given
            if let consumer = values["consumer"]?.string {
                try Self.check(consumer)
                found.consumer = consumer
                values["consumer"] = nil
            }
            found.specs = VolumeMetadata.merged(found.specs, values)
        }
    }

    func remove(_ keys: [String], of id: ID<QoSSpecs>) async throws {
        try await change(id) { found in
            for key in keys {
                guard found.specs[key] != nil else {
                    throw CloudError.notFound("QoS spec \(id) has no spec with key \(key).")
                }
                found.specs[key] = nil
            }
        }
    }

    /// Deletes specs.
    ///
    /// - Parameter isForced: whether they are taken from the types that have them.
    func delete(_ id: ID<QoSSpecs>, isForced: Bool) async throws {
        try await context.write { tx in
            _ = try specs.require(id, in: tx)
            if try !types.list(withQoS: id, in: tx).isEmpty {
                guard isForced else { throw CloudError.badRequest("Qos specs still in use.") }
                try specs.disassociate(id, in: tx)
            }
            try specs.delete(id, in: tx)
        }
    }

    // MARK: Types

    func associations(of id: ID<QoSSpecs>) async throws -> [VolumeType] {
        try await context.read { tx in
            _ = try specs.require(id, in: tx)
            return try types.list(withQoS: id, in: tx)
        }
    }

    /// Gives specs to a type, or takes them from it.
    ///
    /// - Parameter isWanted: whether the type is to have them.
    func associate(_ id: ID<QoSSpecs>, with type: ID<VolumeType>, isWanted: Bool, by caller: Caller) async throws {
        try await context.write { tx in
            _ = try specs.require(id, in: tx)
            let old = try rules.require(type, by: caller, in: tx)
            if isWanted, let present = old.qosID, present != id {
                throw VolumeRefusal.type("Type \(type) is already associated with another qos specs: \(present)")
            }
            var new = old
            if isWanted { new.qosID = id } else if old.qosID == id { new.qosID = nil }
            try types.update(old, to: new, in: tx)
        }
    }

    func disassociateAll(_ id: ID<QoSSpecs>) async throws {
        try await context.write { tx in
            _ = try specs.require(id, in: tx)
            try specs.disassociate(id, in: tx)
        }
    }
}
