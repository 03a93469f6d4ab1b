import CloudCore
import HTTPKit

/// The changes of a `PATCH` of an image, in order. They are checked as far as possible without the image.
struct ImagePatch: Sendable {
    enum Operation: String, Sendable, CaseIterable { case add, remove, replace }

    /// The two forms of changes: `{"replace": "/name", "value": …}` and `{"op": "replace", "path": "/name", …}`.
    enum Form: String, Sendable, CaseIterable {
        case v20 = "application/openstack-images-v2.0-json-patch"
        case v21 = "application/openstack-images-v2.1-json-patch"
    }

    struct Change: Sendable {
        let operation: Operation
        /// The name of the image's member.
        let name: String
        /// The rest of the path: the place in a list; nil for the whole member.
        let place: String?
        /// The new value; null for a removal.
        let value: JSON
        let form: Form
    }

    let changes: [Change]

    /// Reads the changes.
    ///
    /// - Throws: `badRequest` for a body that is no list of changes; `forbidden` for a member that no caller sets.
    init(_ body: JSON, _ form: Form) throws {
        guard let raw = body.array else { throw CloudError.badRequest("Request body must be a JSON array of operation objects.") }
        changes = try raw.map { change in
            guard let change = change.object else { throw CloudError.badRequest("Operations must be JSON objects.") }
            return try Self.change(change, form)
        }
    }

    private static func change(_ raw: JSONObject, _ form: Form) throws -> Change {
        let (operation, pointer) = try form == .v21 ? operation21(raw) : operation20(raw)
        let path = try segments(pointer)
        // Single elements are added and removed only in a list of locations.
        guard path.count == (path[0] == "locations" && operation != .replace ? 2 : 1) else {
            throw CloudError.badRequest("Invalid JSON pointer for this resource: '/\(path.joined(separator: "/").prefix(255))'")
        }
        if operation != .remove, raw["value"] == nil {
            throw CloudError.badRequest("Operation \"\(operation.rawValue)\" requires a member named \"value\".")
        }
        let change = Change(
            operation: operation, name: path[0], place: path.count > 1 ? path[1] : nil,
            value: operation == .remove ? .null : raw["value"] ?? .null, form: form)
        try check(change)
        return change
    }

    private static func check(_ change: Change) throws {
        if ImageFields.readOnly.contains(change.name) || change.name == "id" { throw ImageService.readOnly(change.name) }
        if ImageFields.isReserved(change.name) { throw ImageService.reserved(change.name) }
        if change.operation != .remove {
            try ImageFields.check([change.name: change.place == nil ? change.value : .array([change.value])])
        }
    }

    private static func operation21(_ raw: JSONObject) throws -> (Operation, String) {
        let all = Operation.allCases.map(\.rawValue).joined(separator: ", ")
        guard let word = raw["op"] else {
            throw CloudError.badRequest("Unable to find `op` in JSON Schema change. It must be one of the following: \(all).")
        }
        guard let operation = word.string.flatMap(Operation.init) else {
            throw CloudError.badRequest("Invalid operation: `\((word.string ?? word.typeName).prefix(64))`. It must be one of the following: \(all).")
        }
        guard let path = raw["path"]?.string else { throw CloudError.badRequest("Unable to find 'path' in JSON Schema change") }
        return (operation, path)
    }

    private static func operation20(_ raw: JSONObject) throws -> (Operation, String) {
        let named = Operation.allCases.filter { raw[$0.rawValue] != nil }
        guard let operation = named.first, named.count == 1, let path = raw[operation.rawValue]?.string else {
            throw CloudError.badRequest("Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\".")
        }
        return (operation, path)
    }

    /// Returns the parts of a JSON pointer (RFC 6901), of which none may be empty.
    private static func segments(_ pointer: String) throws -> [String] {
        guard pointer.hasPrefix("/") else { throw CloudError.badRequest("Pointer `\(pointer.prefix(255))` does not start with \"/\".") }
        return try pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
            let text = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            guard part.replacing("~1", with: "").replacing("~0", with: "").contains("~") == false else {
                throw CloudError.badRequest("Pointer `\(pointer.prefix(255))` contains \"~\" not part of a recognized escape sequence.")
            }
            guard text.contains(where: { $0 != " " }) else {
                throw CloudError.badRequest("Pointer `\(pointer.prefix(255))` does not contain valid tokens.")
            }
            return text
        }
    }
}
