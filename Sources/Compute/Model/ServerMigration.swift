import CloudCore

/// The move of a server from one flavor or host to another.
struct ServerMigration: Sendable {
    enum Kind: String, Sendable {
        case resize, migration
        case live = "live-migration"
        case evacuation
    }

    var number: Int
    var id: String
    var serverID: ID<CloudCore.Kind.Server>
    var projectID: String
    var userID: String
    var kind: Kind
    var status: String
    var source: String?
    var destination: String?
    /// The number of the flavor before the move.
    var oldFlavor: Int
    var newFlavor: Int
    var createdAt: Timestamp
    var updatedAt: Timestamp
}
