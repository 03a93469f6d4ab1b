import CloudCore
import HTTPKit
import Resources

/// The routes of `/v3/OS-EP-FILTER`, which decide which endpoints are in a project's catalog.
struct EndpointFilterRoutes: Sendable {
    let groups: EndpointGroupService
    let filters: EndpointFilterService

    init(identity: IdentityContext) {
        groups = EndpointGroupService(identity: identity)
        filters = EndpointFilterService(identity: identity)
    }

    private static let base = "/v3/OS-EP-FILTER"
    private static let groupsPath = "/v3/OS-EP-FILTER/endpoint_groups"
    private static let group = "/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}"
    private static let project = "/v3/OS-EP-FILTER/projects/{project_id}"

    var all: [Route] {
        var routes = ResourceRoutes(groups, at: Self.groupsPath).all + lists
        routes += pair("\(Self.project)/endpoints/{endpoint_id}", { .endpoint($0.id("endpoint_id")) }) { _ in .noContent }
        routes += pair("\(Self.group)/projects/{project_id}", { .group($0.id("endpoint_group_id")) }, Self.membership)
        return routes
    }

    private var lists: [Route] {
        [
            .get("\(Self.base)/endpoints/{endpoint_id}/projects") { call in
                Views.list(try await filters.projects(shown: .endpoint(call.id("endpoint_id")), by: call.caller()), call, "/v3/projects")
            },
            .get("\(Self.group)/projects") { call in
                Views.list(try await filters.projects(shown: .group(call.id("endpoint_group_id")), by: call.caller()), call, "/v3/projects")
            },
            .get("\(Self.group)/endpoints") { call in
                Views.list(try await filters.endpoints(in: call.id("endpoint_group_id"), by: call.caller()), call, "/v3/endpoints")
            },
            .get("\(Self.project)/endpoints") { call in
                Views.list(try await filters.endpoints(of: call.id("project_id"), by: call.caller()), call, "/v3/endpoints")
            },
            .get("\(Self.project)/endpoint_groups") { call in
                Views.list(try await filters.groups(of: call.id("project_id"), by: call.caller()), call, Self.groupsPath)
            },
        ]
    }

    /// The routes of the association of a project with an endpoint or a group.
    private func pair(
        _ path: String, _ shown: @escaping @Sendable (Call) -> EndpointFilterService.Shown, _ view: @escaping @Sendable (Call) -> Reply
    ) -> [Route] {
        [
            .put(path) { call in
                try await filters.add(shown(call), to: call.id("project_id"), by: call.caller())
                return .noContent
            },
            .get(path) { call in
                try await filters.check(shown(call), in: call.id("project_id"), by: call.caller())
                return view(call)
            },
            .delete(path) { call in
                try await filters.remove(shown(call), from: call.id("project_id"), by: call.caller())
                return .noContent
            },
        ]
    }

    private static func membership(_ call: Call) -> Reply {
        .json { writer in
            writer.object("project_endpoint_group") { writer in
                writer.member("endpoint_group_id", call[parameter: "endpoint_group_id"])
                writer.member("project_id", call[parameter: "project_id"])
                writer.object("links") { $0.member("self", call.url) }
            }
        }
    }
}
