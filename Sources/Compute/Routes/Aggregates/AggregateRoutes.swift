import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-aggregates` and `/os-availability-zone`.
struct AggregateRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let aggregates: AggregateService

    private static let path = "/os-aggregates/{aggregate_id}"

    private struct New: Sendable {
        var name = ""
        var zone: String?
    }
    private struct Change: Sendable {
        var name: String?
        var zone = Update<String>.keep
    }

    private static let zone = Form.string(1...255, .zoneName)
    private static let new = Form.object(
        New(),
        [
            .required("name", \.name, .plainName),
            .optional("availability_zone", \.zone, .nullable(zone.mapped(\.trimmed))),
        ]
    ).inside("aggregate")
    private static let change = Form.object(
        Change(),
        [
            .optional("name", \.name, Form.string(1...255, .spacedName).mapped(\.trimmed)),
            .update("availability_zone", \.zone, zone),
        ], anyOf: ["name", "availability_zone"]
    ).inside("aggregate")
    private static let host = Form.hostName.inside("host")
    private static let metadata = Form.entries(.metadataKey, .nullable(.string(0...255))).inside("metadata").inside("set_metadata")
    private static let images = Form.array(Form.uuid.inside("id"), 1...Int.max).inside("cache")

    var all: [Route] {
        [
            maker.route(.get, "/os-aggregates", .listAggregates) { call in
                let found = try await aggregates.list()
                return try await .page("aggregates", of: found) { Self.write($0, call.minor, isNew: false, &$1) }
            },
            maker.route(.post, "/os-aggregates", .createAggregate) { call in
                let new = try await call.read(Self.new)
                return Self.answer(try await aggregates.create(new.name, zone: new.zone), call.minor, isNew: true)
            },
            maker.route(.get, Self.path, .showAggregate) { call in
                Self.answer(try await aggregates.get(try Self.number(call)), call.minor)
            },
            maker.route(.put, Self.path, .updateAggregate) { call in
                let change = try await call.read(Self.change)
                let changed = try await aggregates.update(try Self.number(call), name: change.name, zone: change.zone)
                return Self.answer(changed, call.minor)
            },
            maker.route(.delete, Self.path, .deleteAggregate) { call in
                try await aggregates.delete(try Self.number(call))
                return .ok
            },
            maker.route(.post, Self.path + "/action", nil) { call in try await act(call) },
            maker.route(.post, Self.path + "/images", .cacheAggregateImages, since: 81) { call in try await cache(call) },
            maker.route(.get, "/os-availability-zone", .listZones) { call in
                Self.zones(try await aggregates.hosts.all(), detailed: false)
            },
            maker.route(.get, "/os-availability-zone/detail", .detailZones) { call in
                Self.zones(try await aggregates.hosts.all(), detailed: true)
            },
        ]
    }

    private static func number(_ call: ComputeCall) throws -> Int {
        guard let number = Int(call.parameter("aggregate_id")) else {
            throw CloudError.badRequest("Invalid input received: id must be an integer")
        }
        return number
    }

    private func act(_ call: ComputeCall) async throws -> Reply {
        let body = JSON.object(try await call.call.body.json())
        let name = body.object?.count == 1 ? body.object?.keys.first ?? "" : ""
        switch name {
        case "add_host", "remove_host":
            try call.caller.require(name == "add_host" ? .addAggregateHost : .removeAggregateHost)
            let host = try call.read(Self.host.inside(name), body)
            let number = try Self.number(call)
            let changed = name == "add_host" ? try await aggregates.add(host, to: number) : try await aggregates.remove(host, from: number)
            return Self.answer(changed, call.minor)
        case "set_metadata":
            try call.caller.require(.setAggregateMetadata)
            let metadata = try call.read(Self.metadata, body)
            return Self.answer(try await aggregates.setMetadata(metadata, of: try Self.number(call)), call.minor)
        default:
            throw CloudError.badRequest("There is no such action: \((body.object?.keys ?? []).joined(separator: ", ").prefix(255))")
        }
    }

    /// Accepts a request to cache images. It is only checked: a host gets an image when a server needs it.
    private func cache(_ call: ComputeCall) async throws -> Reply {
        let ids = try await call.read(Self.images)
        if Set(ids).count != ids.count { throw CloudError.badRequest("Duplicate images in request") }
        _ = try await aggregates.get(try Self.number(call))
        return .accepted
    }

    // MARK: Views

    private static func answer(_ aggregate: Aggregate, _ minor: Int, isNew: Bool = false) -> Reply {
        .json { json in json.object("aggregate") { write(aggregate, minor, isNew: isNew, &$0) } }
    }

    private static func write(_ aggregate: Aggregate, _ minor: Int, isNew: Bool, _ json: inout JSONWriter) {
        json.member("id", aggregate.number)
        if minor >= 41 { json.member("uuid", aggregate.id) }
        json.member("name", aggregate.name)
        json.member("availability_zone", aggregate.zone)
        if !isNew {
            json.array("hosts", of: aggregate.hosts) { $0.string($1) }
            json.object("metadata") { $0.members(of: TextMap.json(aggregate.metadata)) }
        }
        json.member("created_at", aggregate.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", aggregate.updatedAt?.iso8601MicrosecondsNoZone)
        json.member("deleted", false)
        json.member("deleted_at", nil as String?)
    }

    private static func zones(_ hosts: [ComputeHost], detailed: Bool) -> Reply {
        let byZone = Dictionary(grouping: hosts, by: \.zone)
        // A zone is available if one of its hosts is not disabled.
        let zones = byZone.keys.map { zone in (name: zone, isAvailable: byZone[zone, default: []].contains { !$0.isDisabled }) }
        let sorted = zones.sorted { ($0.isAvailable ? 0 : 1, $0.name) < ($1.isAvailable ? 0 : 1, $1.name) }
        return .json { json in
            json.array("availabilityZoneInfo", of: sorted) { json, zone in
                json.object { json in
                    json.member("zoneName", zone.name)
                    json.object("zoneState") { $0.member("available", zone.isAvailable) }
                    guard detailed, zone.isAvailable else { return json.member("hosts", nil as String?) }
                    json.object("hosts") { json in
                        for host in byZone[zone.name, default: []] where !host.isDisabled {
                            json.object(dynamic: host.name) { json in
                                json.object("nova-compute") { json in
                                    json.member("available", host.isUp)
                                    json.member("active", true)
                                    json.member("updated_at", host.report.lastSeen.iso8601MicrosecondsNoZone)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
