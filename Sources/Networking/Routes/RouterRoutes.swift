import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of a router's interfaces and extra routes.
struct RouterRoutes: Sendable {
    let routers: RouterService

    var all: [Route] {
        [
            .put("/v2.0/routers/{id}/add_router_interface") { call in
                let caller = try await call.caller()
                return Self.write(try await routers.addInterface(call.id("id"), call.body.json(), by: caller))
            },
            .put("/v2.0/routers/{id}/remove_router_interface") { call in
                let caller = try await call.caller()
                return Self.write(try await routers.removeInterface(call.id("id"), call.body.json(), by: caller))
            },
            .put("/v2.0/routers/{id}/add_extraroutes") { call in
                let caller = try await call.caller()
                return try NounViews.one(try await routers.changeRoutes(call.id("id"), call.body.json(), adding: true, by: caller), .ok, call, call.path)
            },
            .put("/v2.0/routers/{id}/remove_extraroutes") { call in
                let caller = try await call.caller()
                return try NounViews.one(try await routers.changeRoutes(call.id("id"), call.body.json(), adding: false, by: caller), .ok, call, call.path)
            },
        ]
    }

    private static func write(_ interface: RouterService.Interface) -> Reply {
        .json { json in
            json.member("id", interface.routerID)
            json.member("tenant_id", interface.projectID)
            json.member("project_id", interface.projectID)
            json.member("port_id", interface.portID)
            json.member("network_id", interface.networkID)
            json.member("subnet_id", interface.subnetIDs.first)
            json.array("subnet_ids", of: interface.subnetIDs) { $0.string($1.text) }
            json.array("tags", of: [String]()) { $0.string($1) }
        }
    }
}

struct AddressGroupRoutes: Sendable {
    let groups: AddressGroupService

    var all: [Route] {
        [("add_addresses", true), ("remove_addresses", false)].map { verb, isAdding in
            .put("/v2.0/address-groups/{id}/\(verb)") { call in
                let caller = try await call.caller()
                let group = try await groups.change(call.id("id"), call.body.json(), adding: isAdding, by: caller)
                return try NounViews.one(Shown(rows: [group]), .ok, call, call.path)
            }
        }
    }
}
