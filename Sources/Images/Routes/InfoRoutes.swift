import Access
import CloudCore
import HTTPKit

/// The routes of `/v2/info`: the capabilities of this site.
struct InfoRoutes: Sendable {
    let context: ImagesContext

    var all: [Route] {
        [
            .get("/v2/info/import") { call in
                _ = try await call.caller()
                return .json { json in
                    json.object("import-methods") { json in
                        json.member("description", "Import methods available.")
                        json.member("type", "array")
                        json.array("value", of: ImportMethod.allCases) { $0.string($1.rawValue) }
                    }
                }
            },
            .get("/v2/info/stores") { call in
                _ = try await call.caller()
                return stores(isDetailed: false)
            },
            .get("/v2/info/stores/detail") { call in
                try context.policy.require(.storesInfoDetail, try await call.caller())
                return stores(isDetailed: true)
            },
            .get("/v2/info/usage") { call in
                let caller = try await call.caller()
                let usage = try await context.usage(of: caller.projectID?.text ?? "")
                return .json { json in
                    json.object("usage") { json in
                        for one in usage {
                            json.object(dynamic: one.resource.rawValue) { json in
                                json.member("usage", one.used)
                                json.member("limit", one.limit)
                            }
                        }
                    }
                }
            },
        ]
    }

    private func stores(isDetailed: Bool) -> Reply {
        .json { json in
            json.array("stores", of: context.stores.all) { json, entry in
                json.object { json in
                    json.member("id", entry.name)
                    if entry.name == context.stores.standard.name { json.member("default", "true") }
                    if isDetailed {
                        json.member("type", "file")
                        json.member("weight", context.stores.weight(of: entry.name))
                        // The path of the store on the host concerns only the operator.
                        json.object("properties") { $0.member("thin_provisioning", false) }
                    }
                }
            }
        }
    }
}
