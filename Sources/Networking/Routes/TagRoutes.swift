import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of the tags of a noun.
struct TagRoutes<S: NetworkingService>: Sendable {
    let service: S

    var all: [Route] {
        let service = TagService(service)
        let path = "/v2.0/\(S.R.segment)/{id}/tags"
        return [
            .get(path) { call in
                let tags = try await service.list(call.id("id"), by: call.caller())
                return .json { $0.array("tags", of: tags) { $0.string($1) } }
            },
            .put(path) { call in
                let caller = try await call.caller()
                let tags = try await service.replace(call.id("id"), call.body.json(), by: caller)
                return .json { $0.array("tags", of: tags) { $0.string($1) } }
            },
            .post(path) { call in
                let caller = try await call.caller()
                let tags = try await service.add(call.id("id"), call.body.json(), by: caller)
                return .json(.created) { $0.array("tags", of: tags) { $0.string($1) } }
            },
            .delete(path) { call in
                try await service.removeAll(call.id("id"), by: call.caller())
                return .noContent
            },
            .get("\(path)/{tag}") { call in
                try await service.require(call[parameter: "tag"], of: call.id("id"), by: call.caller())
                return .noContent
            },
            .put("\(path)/{tag}") { call in
                try await service.add(call[parameter: "tag"], to: call.id("id"), by: call.caller())
                return Reply(.created)
            },
            .delete("\(path)/{tag}") { call in
                try await service.remove(call[parameter: "tag"], from: call.id("id"), by: call.caller())
                return .noContent
            },
        ]
    }
}

