import CloudCore

/// The fact that a user or a group has a role on a target.
struct Assignment: Sendable, Hashable {
    enum Actor: Sendable, Hashable {
        case user(ID<Kind.User>)
        case group(ID<Kind.Group>)

        var id: String {
            switch self {
            case .user(let id): id.text
            case .group(let id): id.text
            }
        }

        var kind: String {
            switch self {
            case .user: "user"
            case .group: "group"
            }
        }
    }

    enum Target: Sendable, Hashable {
        case project(ID<Kind.Project>)
        case domain(ID<Kind.Domain>)
        /// The cloud as a whole.
        case system

        /// The id in the table. The system has the fixed id `system`.
        var id: String {
            switch self {
            case .project(let id): id.text
            case .domain(let id): id.text
            case .system: "system"
            }
        }

        var kind: String {
            switch self {
            case .project: "project"
            case .domain: "domain"
            case .system: "system"
            }
        }
    }

    var actor: Actor
    var target: Target
    var roleID: ID<Kind.Role>
    /// Whether the role holds in every project below the target, and not on the target itself.
    var isInherited: Bool
}
