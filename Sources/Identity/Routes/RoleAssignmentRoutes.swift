import CloudCore
import HTTPKit

/// The route `/v3/role_assignments`.
struct RoleAssignmentRoutes: Sendable {
    let assignments: RoleAssignmentService

    var all: [Route] {
        [
            .get("/v3/role_assignments") { call in
                let caller = try await call.caller()
                let (entries, names) = try await assignments.list(.init(call.query), by: caller)
                return Views.list("role_assignments", entries, call) { entry, writer in Self.write(entry, names, call, &writer) }
            }
        ]
    }

    private typealias Names = RoleAssignmentService.Names

    private static func write(_ entry: RoleAssignmentService.Entry, _ names: Names?, _ call: Call, _ writer: inout JSONWriter) {
        let assignment = entry.assignment
        writer.object("links") { writer in
            writer.member("assignment", call.base + "/v3" + link(entry))
            if let group = entry.group { writer.member("membership", "\(call.base)/v3/groups/\(group)/users/\(assignment.actor.id)") }
            if let prior = entry.priorRole {
                writer.member("prior_role", "\(call.base)/v3/prior_role/\(prior)/implies/\(assignment.roleID)")
            }
        }
        writer.object("scope") { writer in
            switch assignment.target {
            case .project(let id): writer.object("project") { thing(id.text, names?.projects, &$0) }
            case .domain(let id):
                writer.object("domain") { writer in
                    writer.member("id", id)
                    if let name = names?.projects[id.text] { writer.member("name", name.name) }
                }
            case .system: writer.object("system") { $0.member("all", true) }
            }
            if assignment.isInherited || entry.source != nil { writer.member("OS-INHERIT:inherited_to", "projects") }
        }
        switch assignment.actor {
        case .user(let id): writer.object("user") { thing(id.text, names?.users, &$0) }
        case .group(let id): writer.object("group") { thing(id.text, names?.groups, &$0) }
        }
        writer.object("role") { thing(assignment.roleID.text, names?.roles, &$0) }
    }

    private static func thing(_ id: String, _ names: [String: Names.Name]?, _ writer: inout JSONWriter) {
        writer.member("id", id)
        guard let name = names?[id] else { return }
        writer.member("name", name.name)
        guard let domain = name.domain else { return }
        writer.object("domain") { writer in
            writer.member("id", domain.id)
            writer.member("name", domain.name)
        }
    }

    /// Returns the path of the grant that the assignment follows from.
    private static func link(_ entry: RoleAssignmentService.Entry) -> String {
        let assignment = entry.assignment
        let target =
            switch entry.source ?? assignment.target {
            case .project(let id): "/projects/\(id)"
            case .domain(let id): "/domains/\(id)"
            case .system: "/system"
            }
        let actor: String
        if let group = entry.group { actor = "/groups/\(group)" } else { actor = "/\(assignment.actor.kind)s/\(assignment.actor.id)" }
        let link = "\(target)\(actor)/roles/\(entry.priorRole ?? assignment.roleID)"
        let isInherited = assignment.isInherited || entry.source != nil
        return isInherited ? "/OS-INHERIT\(link)/inherited_to_projects" : link
    }
}
