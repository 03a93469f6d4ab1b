import CloudCore
import HTTPKit

/// A role as a body that hands roles on calls it: by its id or by its name, not both.
enum RoleReference: Sendable, Hashable {
    case id(ID<Kind.Role>)
    case name(String)

    static let shape = Shape.array(.object([.init("id", .id), .init("name", .name)]), 0...1000)

    /// - Parameter json: what `shape` was checked against, or nothing.
    /// - Throws: `CloudError.badRequest` for an element that has both members, or none.
    static func list(_ json: JSON?, at path: String) throws -> [RoleReference] {
        try (json?.array ?? []).enumerated().map { position, element in
            switch (element["id"]?.string, element["name"]?.string) {
            case (let id?, nil): .id(ID(id))
            case (nil, let name?): .name(name)
            default: throw Shape.wrong("\(path)/\(position)", "it must have either an id or a name")
            }
        }
    }
}
