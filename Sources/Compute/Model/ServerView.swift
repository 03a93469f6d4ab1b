import CloudCore
import HostModel

/// A server with the values that are not in its row: its task, its ports, its zone and its fault.
struct ServerView: Sendable {
    var server: Server
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

    var status: String { ServerStatus.text(server.state, task: task) }
}

/// The attributes of a server that a list without details shows.
struct ServerBrief: Sendable {
    var id: ID<Kind.Server>
    var name: String
}
