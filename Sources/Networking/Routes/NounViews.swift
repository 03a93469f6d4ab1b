import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The views of one resource and of many, as Neutron writes them.
enum NounViews: ResourceViews {
    static let changes = HTTPRequest.Method.put

    static func parameter<R: Resource>(of type: R.Type) -> String { "id" }

    static func condition<R: Resource>(_ call: Call) throws -> Condition<R> {
        guard let wanted = try call.wantedRevision() else { return { _ in } }
        return { row in
            guard let revision = (row as? any NetworkingResource)?.standard.revision, revision != wanted else { return }
            throw CloudError.networking(
                .preconditionFailed, "RevisionNumberConstraintFailed",
                "Constrained to \(wanted), but current revision is \(revision)")
        }
    }

    static func one<R: Resource>(
        _ shown: Shown<R>, _ status: HTTPResponse.Status, _ call: Call, _ path: String
    ) throws -> Reply {
        guard let row = shown.rows.first else { throw CloudError.hidden }
        let fields = fields(of: shown, call)
        return .json(status) { json in
            json.object(dynamic: R.schema.singular) { R.schema.view(row, fields, into: &$0) }
        }
    }

    static func many<R: Resource>(_ made: Shown<R>, _ call: Call, _ path: String) -> Reply {
        .json(.created) { rows(made, call, &$0) }
    }

    static func list<R: Resource>(_ shown: Shown<R>, _ call: Call, _ path: String) -> Reply {
        .json { json in
            rows(shown, call, &json)
            PageLinks(
                limit: shown.limit, isFull: shown.isFull, first: shown.rows.first?.id.text,
                last: shown.rows.last?.id.text, call
            ).write("\(R.schema.plural)_links", &json)
        }
    }

    private static func rows<R: Resource>(_ shown: Shown<R>, _ call: Call, _ json: inout JSONWriter) {
        R.schema.views(shown.rows, fields(of: shown, call), into: &json)
    }

    /// Returns the members that the caller asked for and may see.
    private static func fields<R: Resource>(of shown: Shown<R>, _ call: Call) -> [ShownMember] {
        let wanted = PageRequest.fields(call.query)
        if wanted.isEmpty, shown.hidden.isEmpty { return R.schema.allShown }
        return R.schema.shown { !shown.hidden.contains($0.name) && (wanted.isEmpty || wanted.contains($0.name)) }
    }
}

extension ResourceRoutes where S: NetworkingService, V == NounViews {
    init(_ service: S) { self.init(service, at: "/v2.0/\(S.R.segment)", as: NounViews.self) }

    /// The routes of a noun that cannot be changed: all but `PUT`.
    var unchangeable: [Route] { [list, create, show, delete] }
}

extension Call {
    /// Returns the revision that `If-Match: revision_number=3` demands; nil without the header.
    fileprivate func wantedRevision() throws -> Int64? {
        guard let header = headers[.ifMatch] else { return nil }
        let parts = header.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0] == "revision_number", let number = Int64(parts[1]) else {
            throw CloudError.badRequest("Invalid value for the If-Match header: revision_number=NUMBER is expected.")
        }
        return number
    }
}
