import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v3/domains/{domain_id}/config`: the whole configuration, a group or an option, and the defaults of
/// the options.
struct DomainConfigurationRoutes: Sendable {
    let configurations: DomainConfigurationService

    private static let path = "/v3/domains/{domain_id}/config"

    var all: [Route] {
        let ends = ["", "/{group}", "/{group}/{option}"]
        return ends.flatMap { end in
            [
                .get(Self.path + end, show), .patch(Self.path + end, merge), .delete(Self.path + end, remove),
                .get("/v3/domains/config\(end)/default", standard),
            ]
        } + [.put(Self.path, replace)]
    }

    private static func part(_ call: Call) -> DomainConfigurationService.Part {
        let (group, name) = (call[parameter: "group"], call[parameter: "option"])
        return .init(group: group.isEmpty ? nil : group, name: name.isEmpty ? nil : name)
    }

    private static func reply(_ config: JSONObject, _ status: HTTPResponse.Status = .ok) -> Reply {
        .json(status) { $0.member("config", .object(config)) }
    }

    private func show(_ call: Call) async throws -> Reply {
        Self.reply(try await configurations.get(call.id("domain_id"), Self.part(call), by: call.caller()))
    }

    private func standard(_ call: Call) async throws -> Reply {
        Self.reply(try configurations.standard(Self.part(call), by: try await call.caller()))
    }

    private func replace(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let (config, isNew) = try await configurations.replace(call.id("domain_id"), call.body.json(), by: caller)
        return Self.reply(config, isNew ? .created : .ok)
    }

    private func merge(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        return Self.reply(try await configurations.merge(call.id("domain_id"), Self.part(call), call.body.json(), by: caller))
    }

    private func remove(_ call: Call) async throws -> Reply {
        try await configurations.delete(call.id("domain_id"), Self.part(call), by: call.caller())
        return .noContent
    }
}
