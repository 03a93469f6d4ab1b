import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/extensions`.
struct ExtensionRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>

    var all: [Route] {
        [
            maker.route(.get, "/extensions", .listExtensions) { _ in
                .json { json in
                    json.array("extensions", of: Extensions.all) { json, entry in json.object { Self.write(entry, &$0) } }
                }
            },
            maker.route(.get, "/extensions/{alias}", .listExtensions) { call in
                guard let entry = Extensions.all.first(where: { $0.alias == call.parameter("alias") }) else {
                    throw CloudError.notFound("The resource could not be found.")
                }
                return .json { json in json.object("extension") { Self.write(entry, &$0) } }
            },
        ]
    }

    private static func write(_ entry: Extensions.Entry, _ json: inout JSONWriter) {
        json.member("alias", entry.alias)
        json.member("description", "\(entry.name), a part of every version.")
        json.array("links", of: [] as [String]) { $0.string($1) }
        json.member("name", entry.name)
        json.member("namespace", "http://docs.openstack.org/compute/ext/fake_xml")
        json.member("updated", "2014-12-03T00:00:00Z")
    }
}
