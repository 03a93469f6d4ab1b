import CloudCore
import HTTPKit

/// A role in the body of a delegation, named by its id or by its name, but not both.
enum RoleReference: Sendable, Hashable {
    case id(ID<Kind.Role>)
    case name(String)

    /// Returns the form of a list of roles.
    ///
    /// - Parameter path: the path of the list in the body, for the message about an element with both members or with
    /// none.
    static func list(at path: String) -> Form<[RoleReference]> {
        Form(.array(.object([.init("id", .id), .init("name", .name)]), 0...1000)) { json, _ in
            try (json.array ?? []).enumerated().map { position, element in
                switch (element["id"]?.string, element["name"]?.string) {
                case (let id?, nil): .id(ID(id))
                case (nil, let name?): .name(name)
                default: throw Shape.wrong("\(path)/\(position)", "it must have either an id or a name")
                }
            }
        }
    }
}
