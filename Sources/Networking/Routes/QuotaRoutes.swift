import CloudCore
import HTTPKit

struct QuotaRoutes: Sendable {
    let quotas: QuotaService

    var all: [Route] {
        [
            .get("/v2.0/quotas") { call in
                let all = try await quotas.all(by: call.caller())
                return .json { json in
                    json.array("quotas", of: all) { json, one in
                        json.object { json in
                            Self.write(one.lines, &json)
                            json.member("tenant_id", one.project)
                            json.member("project_id", one.project)
                        }
                    }
                }
            },
            // Neutron's way to tell callers which project their token belongs to.
            .get("/v2.0/quotas/tenant") { call in try await Self.project(call, "tenant") },
            .get("/v2.0/quotas/project") { call in try await Self.project(call, "project") },
            .get("/v2.0/quotas/{id}") { call in
                let caller = try await call.caller()
                return Self.reply(try await quotas.get(call[parameter: "id"], by: caller))
            },
            .get("/v2.0/quotas/{id}/default") { call in
                let caller = try await call.caller()
                return Self.reply(try quotas.defaults(call[parameter: "id"], by: caller))
            },
            .get("/v2.0/quotas/{id}/details.json") { call in try await details(call) },
            .get("/v2.0/quotas/{id}/details") { call in try await details(call) },
            .put("/v2.0/quotas/{id}") { call in
                let caller = try await call.caller()
                return Self.reply(try await quotas.update(call[parameter: "id"], call.body.json(), by: caller))
            },
            .delete("/v2.0/quotas/{id}") { call in
                try await quotas.remove(call[parameter: "id"], by: call.caller())
                return .noContent
            },
        ]
    }

    private func details(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let lines = try await quotas.details(call[parameter: "id"], by: caller)
        return .json { json in
            json.object("quota") { json in
                for line in lines {
                    json.object(dynamic: line.resource) { json in
                        json.member("limit", line.limit)
                        json.member("used", line.used)
                        json.member("reserved", 0 as Int64)
                    }
                }
            }
        }
    }

    private static func project(_ call: Call, _ word: String) async throws -> Reply {
        let caller = try await call.caller()
        guard let project = caller.projectID?.text else {
            throw CloudError.networking(.badRequest, "QuotaMissingTenant", "Tenant-id was missing from quota request.")
        }
        return .json { json in
            json.object(dynamic: word) { json in
                json.key(dynamic: "\(word)_id")
                json.string(project)
            }
        }
    }

    private static func reply(_ lines: [QuotaService.Line]) -> Reply {
        .json { json in json.object("quota") { write(lines, &$0) } }
    }

    private static func write(_ lines: [QuotaService.Line], _ json: inout JSONWriter) {
        for line in lines {
            json.key(dynamic: line.resource)
            json.integer(line.limit)
        }
    }
}
