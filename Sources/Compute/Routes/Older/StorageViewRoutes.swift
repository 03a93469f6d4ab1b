import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// The routes that Compute's older API has for volumes as for snapshots.
struct StorageViewRoutes: Sendable {
    let maker: RouteMaker<ComputeCall>
    let others: any OtherAPIsNeed
    let noun: StorageThings.Noun
    /// The path of the list, such as `/os-volumes`.
    let path: String
    /// Writes the members of one thing of Block Storage.
    let write: @Sendable (JSON, inout JSONWriter) -> Void

    func things(_ call: ComputeCall) -> StorageThings { StorageThings(noun, others, call) }

    /// Returns the routes of both lists. They have the same members, as in the reference.
    func lists(_ brief: Action, _ detailed: Action) -> [Route] {
        [(path, brief), (path + "/detail", detailed)].map { path, action in
            maker.route(.get, path, action, until: OtherAPIs.last, query: StorageThings.listQuery) { call in
                let found = try await things(call).list(call)
                return try await .page(of: found.count) {
                    .json { json in
                        json.array(dynamic: "\(noun)s", of: found) { json, thing in json.object { write(thing, &$0) } }
                    }
                }
            }
        }
    }

    /// Returns the routes that show and delete one thing.
    func one(_ show: Action, _ delete: Action) -> [Route] {
        let id = "\(noun)_id"
        let url = "\(path)/{\(id)}"
        return [
            maker.route(.get, url, show, until: OtherAPIs.last) { call in
                answer(try await things(call).get(call.parameter(id)))
            },
            maker.route(.delete, url, delete, until: OtherAPIs.last) { call in
                try await things(call).delete(call.parameter(id))
                return .accepted
            },
        ]
    }

    func answer(_ thing: JSON) -> Reply {
        .json { json in json.object(dynamic: "\(noun)") { write(thing, &$0) } }
    }
}
