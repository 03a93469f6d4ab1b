import Access
import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/v3/projects`, their tree and their tags, and of `/v3/users/{user_id}/projects`.
struct ProjectRoutes: Sendable {
    let projects: ProjectService

    private static let path = "/v3/projects"
    private static let tags = "/v3/projects/{project_id}/tags"

    var all: [Route] {
        let uniform = ResourceRoutes(projects, at: Self.path)
        return [
            uniform.list, uniform.create, uniform.update, uniform.delete,
            .get("/v3/projects/{project_id}", show),
            .get("/v3/users/{user_id}/projects", ofUser),
            .get(Self.tags, listTags),
            .put(Self.tags, replaceTags),
            .delete(Self.tags, removeTags),
            .get("\(Self.tags)/{tag}", checkTag),
            .put("\(Self.tags)/{tag}", addTag),
            .delete("\(Self.tags)/{tag}", removeTag),
        ]
    }

    private func ofUser(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        return Views.list(try await projects.list(of: call.id("user_id"), call.query, by: caller), call, Self.path)
    }

    // MARK: The tree

    private func show(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let parents = try Self.kin("parents", call.query)
        let subtree = try Self.kin("subtree", call.query)
        let family = try await projects.family(call.id("project_id"), parents: parents, subtree: subtree, by: caller)
        return .json { writer in
            writer.object("project") { writer in
                Views.object(family.project, call, Self.path, &writer)
                switch parents {
                case .none: break
                case .list: Self.write(family.parents, "parents", call, &writer)
                case .ids: writer.member("parents", Self.chain(family.parents[...]))
                }
                switch subtree {
                case .none: break
                case .list: Self.write(family.subtree, "subtree", call, &writer)
                case .ids: writer.member("subtree", Self.tree(below: family.project.id, family.subtree))
                }
            }
        }
    }

    /// Reads how the parents or the subtree are to be shown.
    ///
    /// - Throws: `CloudError.badRequest` if both `…_as_list` and `…_as_ids` are on.
    private static func kin(_ name: String, _ query: Query) throws -> ProjectService.Kin {
        let list = isOn(query["\(name)_as_list"])
        let ids = isOn(query["\(name)_as_ids"])
        guard !list || !ids else { throw CloudError.badRequest("Cannot use \(name)_as_list and \(name)_as_ids at the same time.") }
        return list ? .list : ids ? .ids : .none
    }

    /// Tells whether a query parameter is on. A name without a value is on.
    private static func isOn(_ text: String?) -> Bool { text.map { !["0", "false", "no", "off"].contains($0.lowercased()) } ?? false }

    private static func write(_ projects: [Project], _ key: StaticString, _ call: Call, _ writer: inout JSONWriter) {
        writer.array(key, of: projects) { writer, project in
            writer.object { $0.object("project") { Views.object(project, call, path, &$0) } }
        }
    }

    /// Returns the ids of the parents: `{parent: {its parent: null}}`.
    private static func chain(_ parents: ArraySlice<Project>) -> JSON {
        guard let first = parents.first else { return nil }
        return [first.id.text: chain(parents.dropFirst())]
    }

    /// Returns the ids of the subtree: `{child: {its child: null}, other child: null}`.
    private static func tree(below id: ID<Kind.Project>, _ projects: [Project]) -> JSON {
        let children = projects.filter { $0.parentID == id }
        guard !children.isEmpty else { return nil }
        return .object(JSONObject(children.map { ($0.id.text, tree(below: $0.id, projects)) }))
    }

    // MARK: Tags

    private func listTags(_ call: Call) async throws -> Reply {
        Self.reply(try await projects.tags(of: call.id("project_id"), .listProjectTags, by: call.caller()), call)
    }

    private func replaceTags(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let body = try await call.body.json()
        guard let tags = body["tags"], body.count == 1 else { throw Shape.wrong("tags", "'tags' alone is expected") }
        let texts = try Form<[String]>.tags.parse(tags, .house("tags"))
        return Self.reply(
            try await projects.changeTags(of: call.id("project_id"), .updateProjectTags, by: caller) { _ in texts }, call)
    }

    private func removeTags(_ call: Call) async throws -> Reply {
        _ = try await projects.changeTags(of: call.id("project_id"), .deleteProjectTags, by: call.caller()) { _ in [] }
        return .noContent
    }

    private func checkTag(_ call: Call) async throws -> Reply {
        let tag = call[parameter: "tag"]
        let tags = try await projects.tags(of: call.id("project_id"), .getProjectTag, by: call.caller())
        guard tags.contains(tag) else { throw CloudError.notFound("project tag", tag) }
        return .noContent
    }

    private func addTag(_ call: Call) async throws -> Reply {
        let tag = call[parameter: "tag"]
        _ = try await projects.changeTags(of: call.id("project_id"), .createProjectTag, by: call.caller()) { tags in
            tags.contains(tag) ? tags : tags + [tag]
        }
        return Reply(.created, headers: [.location: call.url])
    }

    private func removeTag(_ call: Call) async throws -> Reply {
        let tag = call[parameter: "tag"]
        _ = try await projects.changeTags(of: call.id("project_id"), .deleteProjectTag, by: call.caller()) { tags in
            guard tags.contains(tag) else { throw CloudError.notFound("project tag", tag) }
            return tags.filter { $0 != tag }
        }
        return .noContent
    }

    private static func reply(_ tags: [String], _ call: Call) -> Reply {
        .json { writer in
            writer.object("links") { $0.member("self", call.url) }
            writer.array("tags", of: tags) { $0.string($1) }
        }
    }
}
