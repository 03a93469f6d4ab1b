import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of inventories: what providers have.
struct InventoryRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let inventories: InventoryService

    private static let path = "/resource_providers/{uuid}/inventories"

    var all: [Route] {
        [
            maker.route(.get, Self.path, .listInventories) { call in
                Self.answer(try await inventories.list(of: call.provider))
            },
            maker.route(.post, Self.path, .createInventory, takesBody: true) { call in try await create(call) },
            maker.route(.put, Self.path, .updateInventory, takesBody: true) { call in try await set(call) },
            maker.route(.delete, Self.path, .deleteInventory, since: 5, before: .methodNotAllowed) { call in
                try await inventories.clear(call.provider)
                return .empty()
            },
            maker.route(.get, Self.path + "/{resource_class}", .showInventory) { call in
                Self.one(try await inventories.get(call.parameter("resource_class"), of: call.provider))
            },
            maker.route(.put, Self.path + "/{resource_class}", .updateInventory, takesBody: true) { call in try await update(call) },
            maker.route(.delete, Self.path + "/{resource_class}", .deleteInventory) { call in
                try await inventories.delete(call.parameter("resource_class"), of: call.provider)
                return .empty()
            },
        ]
    }

    private func create(_ call: PlacementCall) async throws -> Answer {
        let given = try await call.read(InventoryWire.new, unless: { _ = try await inventories.list(of: call.provider) })
        let inventory = given.inventory(given.resourceClass, at: inventories.context.world.now)
        let found = try await inventories.create(
            inventory, of: call.provider, mayReserveAll: call.minor >= 26)
        var answer = Self.one(found, .created)
        answer.headers = call.location("/resource_providers/\(call.provider)/inventories/\(inventory.resourceClass)")
        return answer
    }

    private func set(_ call: PlacementCall) async throws -> Answer {
        let given = try await call.read(InventoryWire.all, unless: { _ = try await inventories.list(of: call.provider) })
        return Self.answer(
            try await inventories.set(
                given.inventories(at: inventories.context.world.now), of: call.provider, generation: Int(given.generation),
                mayReserveAll: call.minor >= 26))
    }

    private func update(_ call: PlacementCall) async throws -> Answer {
        let given = try await call.read(InventoryWire.one, unless: { _ = try await inventories.list(of: call.provider) })
        let inventory = given.inventory(call.parameter("resource_class"), at: inventories.context.world.now)
        return Self.one(
            try await inventories.update(
                inventory, of: call.provider, generation: Int(given.generation), mayReserveAll: call.minor >= 26))
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

/// The forms of inventories in bodies.
enum InventoryWire {
    /// The form of one inventory in a body.
    struct One: Sendable {
        var resourceClass = ""
        var generation: Int64 = 0
        var total: Int64 = 0
        var reserved: Int64 = 0
        var minUnit: Int64 = 1
        var maxUnit = Inventory.most
        var stepSize: Int64 = 1
        var allocationRatio = 1.0

        func inventory(_ name: String, at now: Timestamp) -> Inventory {
            Inventory(
                resourceClass: name, total: total, reserved: reserved, minUnit: minUnit, maxUnit: maxUnit, stepSize: stepSize,
                allocationRatio: allocationRatio, updatedAt: now)
        }
    }

    /// The form of all inventories of a provider in a body.
    struct All: Sendable {
        var generation: Int64 = 0
        var byClass: [(key: String, value: One)] = []

        func inventories(at now: Timestamp) -> [Inventory] { byClass.map { $0.value.inventory($0.key, at: now) } }
    }

    private static let generation = Form.integer(.min ... .max)
    private static let fields: [FormMember<One>] = [
        .required("total", \.total, .integer(1...Inventory.most)), .optional("reserved", \.reserved, .integer(0...Inventory.most)),
        .optional("min_unit", \.minUnit, .integer(1...Inventory.most)), .optional("max_unit", \.maxUnit, .integer(1...Inventory.most)),
        .optional("step_size", \.stepSize, .integer(1...Inventory.most)),
        // The largest single-precision number: the reference stores a ratio as such a number.
        .optional("allocation_ratio", \.allocationRatio, .number(most: 3.40282e+38)),
    ]

    static let one = Form.object(One(), fields + [.required("resource_provider_generation", \.generation, generation)])
    static let new = Form.object(
        One(),
        fields + [
            .optional("resource_provider_generation", \.generation, generation),
            .required("resource_class", \.resourceClass, .string(0...255, .className)),
        ])
    private static let part = Form.object(One(), fields + [.optional("resource_provider_generation", \.generation, generation)])
    static let all = Form.object(
        All(),
        [
            .required("resource_provider_generation", \.generation, generation),
            .required("inventories", \.byClass, .entries(.className, part, others: One())),
        ])

    static func write(_ inventory: Inventory, _ json: inout JSONWriter) {
        json.member("total", inventory.total)
        json.member("reserved", inventory.reserved)
        json.member("min_unit", inventory.minUnit)
        json.member("max_unit", inventory.maxUnit)
        json.member("step_size", inventory.stepSize)
        json.member("allocation_ratio", inventory.allocationRatio)
    }
}
