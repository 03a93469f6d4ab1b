import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of `/resource_classes`, from 1.2 on.
struct ResourceClassRoutes: Sendable {
    let maker: RouteMaker<PlacementCall>
    let classes: ResourceClassService

    private static let form = Form.string(0...255, .customName).inside("name")

    var all: [Route] {
        [
            maker.route(.get, "/resource_classes", .listResourceClasses, since: 2) { call in
                let found = try await classes.list()
                return .json(modified: found.contains { $0.updatedAt == nil } ? classes.context.world.now : nil) { json in
                    json.array("resource_classes", of: found) { json, entry in json.object { Self.write(entry.name, &$0) } }
                }
            },
            maker.route(.post, "/resource_classes", .createResourceClass, since: 2, takesBody: true) { call in
                let name = try await call.read(Self.form)
                try await classes.create(name)
                return .empty(.created, headers: call.location("/resource_classes/\(name)"))
            },
            maker.route(.get, "/resource_classes/{name}", .showResourceClass, since: 2) { call in
                let entry = try await classes.get(call.parameter("name"))
                return .json(modified: entry.updatedAt ?? classes.context.world.now) { Self.write(entry.name, &$0) }
            },
            maker.route(.put, "/resource_classes/{name}", .updateResourceClass, since: 2) { call in try await put(call) },
            maker.route(.delete, "/resource_classes/{name}", .deleteResourceClass, since: 2) { call in
                try await classes.delete(call.parameter("name"))
                return .empty()
            },
        ]
    }

    /// Renames a resource class before 1.7. From 1.7 on it creates the class unless it exists.
    private func put(_ call: PlacementCall) async throws -> Answer {
        let name = call.parameter("name")
        guard call.minor < 7 else {
            _ = try Self.form.parse(["name": .string(name)], .placement("JSON does not validate: "))
            let isNew = try await classes.ensure(name)
            return .empty(isNew ? .created : .noContent, headers: call.location("/resource_classes/\(name)"))
        }
        let new = try await call.read(Self.form)
        try await classes.rename(name, to: new)
        return .json(modified: nil) { Self.write(new, &$0) }
    }

    private static func write(_ name: String, _ json: inout JSONWriter) {
        json.member("name", name)
        json.array("links", of: ["/resource_classes/\(name)"]) { json, link in
            json.object { json in
                json.member("rel", "self")
                json.member("href", link)
            }
        }
    }
}
