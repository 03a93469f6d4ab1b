import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of usages: sums of what is allocated.
struct UsageRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let allocations: AllocationService

    var all: [Route] {
        [
            maker.route(.get, "/resource_providers/{uuid}/usages", .showProviderUsages) { call in
                let (usages, generation) = try await allocations.usages(of: call.provider)
                return .json(modified: allocations.context.world.now) { json in
                    json.member("resource_provider_generation", generation)
                    json.object("usages") { Self.write(usages, &$0) }
                }
            },
            maker.route(.get, "/usages", .showUsages, since: 9, about: { $0.query["project_id"].map { ["project_id": $0] } ?? [:] }) { call in try await total(call) },
        ]
    }

    private static let query = Shape.object([
        .init("project_id", .string(1...255), required: true), .init("user_id", .string(1...255)),
        .init("consumer_type", .string(1...255, .consumerType), since: 38),
    ])

    private func total(_ call: PlacementCall) async throws -> Answer {
        try call.query(Self.query)
        let found = try await allocations.usages(project: call.last("project_id") ?? "", user: call.last("user_id"))
        return .json(modified: allocations.context.world.now) { json in
            json.object("usages") { json in
                guard call.minor >= 38 else { return Self.write(Self.sums(found.usages), &json) }
                for group in Self.groups(found, call.last("consumer_type")) where !group.usages.isEmpty {
                    json.object(dynamic: group.name) { json in
                        Self.write(Self.sums(group.usages), &json)
                        json.member("consumer_count", group.count)
                    }
                }
            }
        }
    }

    private typealias Group = (name: String, usages: [AllocationStore.Usage], count: Int)

    /// Returns one group for each type of consumer. If `all` is wanted, everything is in one group; if one type is
    /// wanted, only its group.
    private static func groups(_ found: AllocationService.Usages, _ wanted: String?) -> [Group] {
        if wanted == "all" { return [(name: "all", usages: found.usages, count: found.consumers.reduce(0) { $0 + $1.count })] }
        return found.consumers.map { type, count in
            (name: type ?? AllocationWire.unknownType, usages: found.usages.filter { $0.type == type }, count: count)
        }.filter { wanted == nil || $0.name == wanted }.sorted { $0.name < $1.name }
    }

    private static func sums(_ usages: [AllocationStore.Usage]) -> [(String, Int64)] {
        Dictionary(usages.map { ($0.resourceClass, $0.used) }, uniquingKeysWith: +).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func write(_ usages: [(String, Int64)], _ json: inout JSONWriter) {
        for (name, used) in usages {
            json.key(dynamic: name)
            json.integer(used)
        }
    }
}
