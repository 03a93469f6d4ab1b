import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of a noun and of its tags: the same for all.
struct NounRoutes<S: NetworkingService>: Sendable {
    let service: S
    private let collection: String
    private let member: String

    init(_ service: S) {
        self.service = service
        collection = "/v2.0/\(S.R.segment)"
        member = "\(collection)/{id}"
    }

    var all: [Route] { [list, create, show, update, delete] + (S.R.hasTags ? tags : []) }

    /// What cannot be changed has no `PUT`.
    var unchangeable: [Route] { [list, create, show, delete] }

    private var list: Route {
        .get(collection) { call in
            let caller = try await call.caller()
            return NounView.list(try await service.list(call.query, by: caller), call)
        }
    }

    private var create: Route {
        .post(collection) { call in
            let caller = try await call.caller()
            let (made, isBulk) = try await service.create(call.body.json(), by: caller)
            return isBulk ? NounView.many(made, call, status: .created) : try NounView.one(made, call, status: .created)
        }
    }

    private var show: Route {
        .get(member) { call in
            let caller = try await call.caller()
            return try NounView.one(try await service.get(call.id("id"), by: caller), call)
        }
    }

    private var update: Route {
        .put(member) { call in
            let caller = try await call.caller()
            let body = try await call.body.json()
            return try NounView.one(try await service.update(call.id("id"), body, revision: call.wantedRevision(), by: caller), call)
        }
    }

    private var delete: Route {
        .delete(member) { call in
            let caller = try await call.caller()
            try await service.delete(call.id("id"), revision: call.wantedRevision(), by: caller)
            return .noContent
        }
    }

    private var tags: [Route] {
        let service = TagService(service)
        let path = "\(member)/tags"
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

extension Call {
    /// `If-Match: revision_number=3`: what the thing must be like still.
    func wantedRevision() throws -> Int64? {
        guard let header = headers[.ifMatch] else { return nil }
        let parts = header.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0] == "revision_number", let number = Int64(parts[1]) else {
            throw CloudError.badRequest("Invalid value for the If-Match header: revision_number=NUMBER is expected.")
        }
        return number
    }
}

/// How one and many are written.
enum NounView {
    static func one<R: NetworkingResource>(_ shown: Shown<R>, _ call: Call, status: HTTPResponse.Status = .ok) throws -> Reply {
        guard let row = shown.rows.first else { throw CloudError.hidden }
        let fields = fields(of: shown, call)
        return .json(status) { json in
            json.object(dynamic: R.schema.singular) { R.schema.view(row, fields, into: &$0) }
        }
    }

    static func many<R: NetworkingResource>(_ shown: Shown<R>, _ call: Call, status: HTTPResponse.Status = .ok) -> Reply {
        let (schema, fields) = (R.schema, fields(of: shown, call))
        return .json(status) { json in
            json.array(dynamic: schema.plural, of: shown.rows) { json, row in
                json.object { schema.view(row, fields, into: &$0) }
            }
        }
    }

    static func list<R: NetworkingResource>(_ shown: Shown<R>, _ call: Call) -> Reply {
        let (schema, fields) = (R.schema, fields(of: shown, call))
        return .json { json in
            json.array(dynamic: schema.plural, of: shown.rows) { json, row in
                json.object { schema.view(row, fields, into: &$0) }
            }
            PageLinks(
                limit: shown.limit, isFull: shown.isFull, first: shown.rows.first?.id.text, last: shown.rows.last?.id.text, call
            ).write("\(schema.plural)_links", &json)
        }
    }

    /// What the caller asked for, and may see.
    private static func fields<R: NetworkingResource>(of shown: Shown<R>, _ call: Call) -> [ShownMember] {
        let wanted = PageRequest.fields(call.query)
        return R.schema.shown { !shown.hidden.contains($0.name) && (wanted.isEmpty || wanted.contains($0.name)) }
    }
}
