import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The routes of pools, capabilities, availability zones, extensions and resource filters.
struct PoolRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let hosts: StorageHostService

    private static let filtersSince = 28
    private static let resourceFiltersSince = 33

    var all: [Route] {
        [
            maker.route(.get, "/scheduler-stats/get_pools", .listPools) { call in try await pools(call) },
            maker.route(.get, "/capabilities/{host}", .showCapabilities) { call in
                let found = try await hosts.pools(of: call.parameter("host"))
                return Self.capabilities(found, of: call.parameter("host"))
            },
            maker.route(.get, "/os-availability-zone", nil) { _ in
                let zones = try await hosts.zones()
                return .json { json in
                    json.array("availabilityZoneInfo", of: zones) { json, zone in
                        json.object { json in
                            json.member("zoneName", zone.name)
                            json.object("zoneState") { $0.member("available", zone.isAvailable) }
                        }
                    }
                }
            },
            maker.route(.get, "/extensions", nil) { _ in
                .json { json in
                    json.array("extensions", of: Extension.all) { json, one in json.object { Self.write(one, &$0) } }
                }
            },
            maker.route(.get, "/extensions/{alias}", nil) { call in
                guard let one = Extension.all.first(where: { $0.alias == call.parameter("alias") }) else {
                    throw CloudError.notFound("The resource could not be found.")
                }
                return .json { json in json.object("extension") { Self.write(one, &$0) } }
            },
            maker.route(.get, "/resource_filters", nil, since: Self.resourceFiltersSince) { call in
                let wanted = call.query("resource")
                return .json { json in
                    let enabled = ListFilters.enabled.filter { wanted == nil || $0.resource == wanted }
                    json.array("resource_filters", of: enabled) { json, one in
                        json.object { json in
                            json.member("resource", one.resource)
                            json.array("filters", of: one.names) { $0.string($1) }
                        }
                    }
                }
            },
        ]
    }

    private func pools(_ call: VolumeCall) async throws -> Reply {
        let isDetailed = try call.truth("detail")
        var found = try await hosts.pools()
        if call.minor >= Self.filtersSince {
            let items = call.call.query.items.filter { $0.name != "detail" }
            var filters = try ListFilters(items, of: "pool", by: call.caller)
            if let name = filters.take("name") { found = found.filter { $0.name.text == name } }
        }
        return .json { json in
            json.array("pools", of: found) { json, pool in
                json.object { json in
                    json.member("name", pool.name.text)
                    if isDetailed {
                        json.object("capabilities") { $0.members(of: PoolCapabilities.all(of: pool)) }
                    }
                }
            }
        }
    }

    private static func capabilities(_ pools: [PoolState], of host: String) -> Reply {
        .json { json in
            json.member("namespace", "OS::Storage::Capabilities::\(host)")
            json.member("vendor_name", "Novella")
            json.member("volume_backend_name", pools.first?.report.pool.name)
            json.member("pool_name", nil as String?)
            json.member("driver_version", "1.0")
            json.member("storage_protocol", "file")
            json.member("display_name", "Capabilities of \(host)")
            json.member("description", "These are volume type options provided by the pools of \(host).")
            json.member("visibility", "public")
            json.array("replication_targets", of: [] as [String]) { $0.string($1) }
            json.object("properties") { json in
                let abilities = [
                    ("thin_provisioning", pools.allSatisfy(\.isThin)),
                    ("multiattach", pools.allSatisfy(\.hasMultiattach)),
                ]
                for (name, ability) in abilities {
                    json.object(dynamic: name) { json in
                        json.member("title", name.replacing("_", with: " "))
                        json.member("description", "Whether all pools have it.")
                        json.member("type", "boolean")
                        json.member("default", ability)
                    }
                }
            }
        }
    }

    private static func write(_ one: Extension, _ json: inout JSONWriter) {
        json.member("name", one.name)
        json.member("alias", one.alias)
        json.member("description", one.summary)
        json.member("updated", one.updated)
        json.array("links", of: [] as [String]) { $0.string($1) }
    }
}
