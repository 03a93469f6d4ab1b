import CloudCore
import SQL

/// The columns that a list of servers can be ordered by.
enum ServerColumn: String, Sendable {
    case id, name
    case projectID = "project_id"
    case userID = "user_id"
    case state = "vm_state"
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case host
    case imageID = "image_id"
    case flavorID = "flavor_id"

    /// Returns the column as SQL that is never NULL.
    func sql(in table: ServerTable) -> String {
        switch self {
        case .host, .imageID: "coalesce(s.\(rawValue), '')"
        case .updatedAt: "s.\(table.changed)"
        default: "s.\(rawValue)"
        }
    }

    func value(of server: Server) -> SQLValue {
        switch self {
        case .id: server.id.text.sql
        case .name: server.name.sql
        case .projectID: server.projectID.sql
        case .userID: server.userID.sql
        case .state: server.state.rawValue.sql
        case .createdAt: server.createdAt.sql
        case .updatedAt: server.updatedAt.sql
        case .host: (server.host ?? "").sql
        case .imageID: (server.image?.id.text ?? "").sql
        case .flavorID: server.flavor.id.sql
        }
    }
}

/// The tables of servers: those that exist, and the archive of deleted ones.
enum ServerTable: String, Sendable {
    case existing = "compute_server"
    case archive = "compute_server_archive"

    /// The column with the time of the last change.
    var changed: String { self == .existing ? "updated_at" : "ended_at" }
}
