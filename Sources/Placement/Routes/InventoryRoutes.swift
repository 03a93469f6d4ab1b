import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// What a provider has.
struct InventoryRoutes: Sendable {
    let endpoint: Endpoint
    let inventories: InventoryService

    private static let path = "/resource_providers/{uuid}/inventories"

    var all: [Route] {
        [
            endpoint.route(.get, Self.path, .listInventories) { call in
                Self.answer(try await inventories.list(of: call.provider))
            },
            endpoint.route(.post, Self.path, .createInventory, takesBody: true) { call in try await create(call) },
            endpoint.route(.put, Self.path, .updateInventory, takesBody: true) { call in try await set(call) },
            endpoint.route(.delete, Self.path, .deleteInventory, since: 5, before: .methodNotAllowed) { call in
                try await inventories.clear(call.provider)
                return .empty()
            },
            endpoint.route(.get, Self.path + "/{resource_class}", .showInventory) { call in
                Self.one(try await inventories.get(call.parameter("resource_class"), of: call.provider))
            },
            endpoint.route(.put, Self.path + "/{resource_class}", .updateInventory, takesBody: true) { call in try await update(call) },
            endpoint.route(.delete, Self.path + "/{resource_class}", .deleteInventory) { call in
                try await inventories.delete(call.parameter("resource_class"), of: call.provider)
                return .empty()
            },
        ]
    }

    private func create(_ call: PlacementCall) async throws -> Answer {
        let body = try await call.body(InventoryWire.new, unless: { _ = try await inventories.list(of: call.provider) })
        let inventory = InventoryWire.inventory(body["resource_class"]?.string ?? "", body, at: inventories.context.world.now)
        let found = try await inventories.create(
            inventory, of: call.provider, mayReserveAll: call.minor >= 26)
        var answer = Self.one(found, .created)
        answer.headers = call.location("/resource_providers/\(call.provider)/inventories/\(inventory.resourceClass)")
        return answer
    }

    private func set(_ call: PlacementCall) async throws -> Answer {
        let body = try await call.body(InventoryWire.all, unless: { _ = try await inventories.list(of: call.provider) })
        let wanted = InventoryWire.inventories(body, at: inventories.context.world.now)
        return Self.answer(
            try await inventories.set(
                wanted, of: call.provider, generation: body.int("resource_provider_generation"), mayReserveAll: call.minor >= 26))
    }

    private func update(_ call: PlacementCall) async throws -> Answer {
        let body = try await call.body(InventoryWire.one, unless: { _ = try await inventories.list(of: call.provider) })
        let inventory = InventoryWire.inventory(call.parameter("resource_class"), body, at: inventories.context.world.now)
        return Self.one(
            try await inventories.update(
                inventory, of: call.provider, generation: body.int("resource_provider_generation"), mayReserveAll: call.minor >= 26))
    }

    private static func answer(_ found: InventoryService.Found) -> Answer {
        .json(modified: found.inventories.map(\.updatedAt).max()) { json in
            json.member("resource_provider_generation", found.generation)
            json.object("inventories") { json in
                for inventory in found.inventories {
                    json.object(dynamic: inventory.resourceClass) { InventoryWire.write(inventory, &$0) }
                }
            }
        }
    }

    private static func one(_ found: InventoryService.Found, _ status: HTTPResponse.Status = .ok) -> Answer {
        .json(status, modified: found.inventories.first?.updatedAt) { json in
            for inventory in found.inventories { InventoryWire.write(inventory, &json) }
            json.member("resource_provider_generation", found.generation)
        }
    }
}

/// Inventories as bodies have them.
enum InventoryWire {
    private static func shape(required: [String], _ more: [(String, JSONShape)] = []) -> JSONShape {
        .object(
            [
                ("resource_provider_generation", .integer()), ("total", .integer(1...Inventory.most)),
                ("reserved", .integer(0...Inventory.most)), ("min_unit", .integer(1...Inventory.most)),
                ("max_unit", .integer(1...Inventory.most)), ("step_size", .integer(1...Inventory.most)),
                // The largest single-precision number, which is what a ratio was stored as.
                ("allocation_ratio", .number(most: 3.40282e+38)),
            ] + more, required: required)
    }

    static let one = shape(required: ["total", "resource_provider_generation"])
    static let new = shape(required: ["total", "resource_class"], [("resource_class", .text(0...255, .name))])
    static let all = JSONShape.object(
        [
            ("resource_provider_generation", .integer()),
            ("inventories", .object(matching: [(.name, shape(required: ["total"]))], open: true)),
        ], required: ["resource_provider_generation", "inventories"])

    static func inventories(_ body: JSON, at now: Timestamp) -> [Inventory] {
        (body["inventories"]?.object?.members ?? []).map { inventory($0.key, $0.value, at: now) }
    }

    static func inventory(_ name: String, _ body: JSON, at now: Timestamp) -> Inventory {
        func number(_ key: String, _ fallback: Int64) -> Int64 { body[key] == nil ? fallback : Int64(body.int(key)) }
        let ratio: Double =
            switch body["allocation_ratio"] {
            case .integer(let value): Double(value)
            case .number(let value): value
            default: 1
            }
        return Inventory(
            resourceClass: name, total: number("total", 0), reserved: number("reserved", 0), minUnit: number("min_unit", 1),
            maxUnit: number("max_unit", Inventory.most), stepSize: number("step_size", 1), allocationRatio: ratio, updatedAt: now)
    }

    static func write(_ inventory: Inventory, _ json: inout JSONWriter) {
        json.member("total", inventory.total)
        json.member("reserved", inventory.reserved)
        json.member("min_unit", inventory.minUnit)
        json.member("max_unit", inventory.maxUnit)
        json.member("step_size", inventory.stepSize)
        json.member("allocation_ratio", inventory.allocationRatio)
    }
}
