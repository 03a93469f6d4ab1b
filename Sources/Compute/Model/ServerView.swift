import CloudCore
import HostModel

/// A server with the values that are not in its row: its task, its ports, its zone and its fault.
struct ServerView: Sendable {
    private(set) var stored: StoredServer
    /// The task that the running workflow shows; nil if no workflow runs.
    var task: String?
    /// The progress of the running workflow in per cent.
    var progress: Int?
    var ports: [ServerPort] = []
    var volumes: [ServerVolume] = []
    var securityGroups: [String] = []
    var zone: String?
    var hostIsUp: Bool?
    var hostIsDisabled = false
    var fault: Server.Fault?

    init(_ stored: StoredServer) { self.stored = stored }

    /// The server, decoded at each use.
    var server: Server { get throws { try stored.server() } }
    var status: String { ServerStatus.text(stored.state, task: task) }

    /// Changes the server that the view shows.
    mutating func change(_ body: (inout Server) -> Void) throws {
        var server = try self.server
        body(&server)
        stored = try StoredServer(server)
    }
}

/// The attributes of a server that a list without details shows.
struct ServerBrief: Sendable {
    var id: ID<Kind.Server>
    var name: String
}
